/**
 * What the workflow tells its own history: facts that no event of Temporal holds. Those of one moment are one memo
 * upsert, which is one event in command order and costs no round trip; the audit log is projected from them.
 */
import { upsertMemo } from '@temporalio/workflow';
import { type Actor, type AuditEvent, FACTS_MEMO, type Fact } from '../plan/facts';
import { maskSecrets } from '../plan/mask';
import type { JsonObject } from '../plan/types';

/** A person's words or a failure's message: as much of it as an entry holds. */
const TEXT_CHARS = 500;
/** Characters of one upsert: a server takes no memo above 40 kB, and thousands of signals may arrive in one moment. */
const CHARS_AT_ONCE = 8_000;
/** Of one fact: an entry of the audit log is bounded too. */
const LISTED = 40;
const ID_CHARS = 64;

/** Free text as it may stand in a fact: without secrets, and bounded. Null stays null. */
export function said(text: string): string;
export function said(text: string | null | undefined): string | null;
export function said(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const masked = maskSecrets(text.toWellFormed());
  return masked.length > TEXT_CHARS ? `${masked.slice(0, TEXT_CHARS).toWellFormed()}…` : masked;
}

/** A task's id as it may stand in a list: a model invents it, and nothing bounds it. */
export const idText = (id: string): string => said(id).slice(0, ID_CHARS).toWellFormed();

/** Cuts a long list into the parts that one fact each can hold; an empty list gives none. */
export function inParts<T>(list: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += LISTED) parts.push(list.slice(at, at + LISTED));
  return parts;
}

export class FactLog {
  private pending: Fact[] = [];
  private due = false;

  /** Notes a fact. It is in the history by the end of this moment, and before whatever `flush` is called for. */
  record(event: AuditEvent, actor: Actor, data: JsonObject): void {
    this.pending.push({ event, actor: { ...actor, id: said(actor.id) }, data });
    if (this.due) return;
    this.due = true;
    // Facts that are recorded one after the other, without an await between them, share an event.
    void Promise.resolve().then(() => this.flush());
  }

  /** Puts what is noted into the history now: before a command that it is the reason for. */
  flush(): void {
    this.due = false;
    while (this.pending.length > 0) upsertMemo({ [FACTS_MEMO]: this.next() });
  }

  /** As many as one upsert holds, and at least one. */
  private next(): Fact[] {
    let chars = 0;
    const end = this.pending.findIndex((fact, index) => {
      chars += JSON.stringify(fact).length;
      return index > 0 && chars > CHARS_AT_ONCE;
    });
    return this.pending.splice(0, end < 0 ? this.pending.length : end);
  }
}
