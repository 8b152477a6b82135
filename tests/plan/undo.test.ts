import fc from 'fast-check';
import type { WriteStep } from '../../plan/steps';
import { decideUndo } from '../../plan/undo';

/** Steps, newest first, of a plan that wrote these contents one after the other. */
function steps(first: string | null, ...written: string[]): WriteStep[] {
  return written
    .map((sha256, at): WriteStep => {
      const preSha256 = at === 0 ? first : (written[at - 1] ?? null);
      return { task: '1', order: at, sha256, preSha256, mode: '0644', backup: null };
    })
    .reverse();
}

const content = fc.constantFrom('a', 'b', 'c', 'd');
const before = fc.option(content, { nil: null });

it('undisturbed, a rollback always ends at what stood there before, and a clean at nothing', () => {
  fc.assert(
    fc.property(before, fc.array(content, { minLength: 1, maxLength: 5 }), (first, written) => {
      const now = written.at(-1) ?? null;
      const history = steps(first, ...written);
      const rollback = decideUndo('rollback', history, now, false);
      expect(rollback).toMatchObject({ target: first, undone: written.length, blocked: false, overwrites: false });
      expect(decideUndo('clean', history, now, false)).toMatchObject({ kind: 'delete', target: null, blocked: false });
    }),
  );
});

it('what the plan never wrote nor replaced is never taken away, unless told; then all is undone', () => {
  fc.assert(
    fc.property(before, fc.array(content, { minLength: 1, maxLength: 5 }), (first, written) => {
      const history = steps(first, ...written);
      for (const kind of ['rollback', 'clean'] as const) {
        expect(decideUndo(kind, history, 'foreign', false)).toMatchObject({ kind: 'changed', target: 'foreign' });
        const told = decideUndo(kind, history, 'foreign', true);
        expect(told).toMatchObject({ undone: written.length, blocked: false, overwrites: true });
        expect(told.target).toBe(kind === 'clean' ? null : first);
      }
    }),
  );
});

it('where the original stands there again there is nothing to do', () => {
  fc.assert(
    fc.property(before, fc.array(content, { minLength: 1, maxLength: 5 }), (first, written) => {
      const again = decideUndo('rollback', steps(first, ...written), first, false);
      expect(again).toMatchObject({ kind: first === null ? 'gone' : 'original', target: first, blocked: false });
    }),
  );
});

it('a write whose outcome is not known counts only where its content is found', () => {
  const unknown = { ...(steps('a', 'b')[0] as WriteStep), unconfirmed: 'write-1' };
  expect(decideUndo('rollback', [unknown], 'b', false)).toMatchObject({ kind: 'restore', target: 'a' });
  for (const now of ['a', 'foreign', null]) {
    expect(decideUndo('rollback', [unknown], now, false)).toMatchObject({ target: now, blocked: false, undone: 1 });
    expect(decideUndo('clean', [unknown], now, true)).toMatchObject({ target: now, blocked: false });
  }
});
