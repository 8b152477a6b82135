/** Answers to updates that were given before: one that is sent again after continue-as-new gets the same. */
import { currentUpdateInfo } from '@temporalio/workflow';
import type { ApplyAnswer, UndoAnswer } from '../plan/view';
import { KEPT_ANSWERS, type PlanState } from './state';

export function answerBefore(state: PlanState): ApplyAnswer | UndoAnswer | undefined {
  const id = currentUpdateInfo()?.id;
  return state.answered.find((one) => one.id === id)?.answer;
}

/** The answer given before to the same update, or this one, remembered. An update id is ours: it names its kind. */
export function once<Answer extends ApplyAnswer | UndoAnswer>(state: PlanState, answer: () => Answer): Answer {
  const before = answerBefore(state);
  if (before) return before as Answer;
  const given = answer();
  const id = currentUpdateInfo()?.id;
  if (id) state.answered = [...state.answered, { id, answer: given }].slice(-KEPT_ANSWERS);
  return given;
}
