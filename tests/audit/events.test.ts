import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { checkData, EVENT_SHAPES } from '../../audit/events';
import { AUDIT_EVENTS } from '../../plan/facts';

const DOC = readFileSync(join(__dirname, '../../docs/audit-log.md'), 'utf8');

const keysOf = (shape: z.ZodType): string[] => (shape instanceof z.ZodObject ? Object.keys(shape.shape).sort() : []);

/** What the document's table says of an event's data. */
function documented(event: string): string[] {
  const row = DOC.split('\n').find((line) => line.startsWith(`| \`${event}\` |`)) ?? '';
  const data = row.split('|')[3] ?? '';
  return [...data.matchAll(/`([^`]+)`/g)].map(([, key]) => key ?? '').sort();
}

describe('the events of the audit log', () => {
  it.each(AUDIT_EVENTS)('%s is documented with all its data', (event) => {
    expect(DOC).toContain(`| \`${event}\` |`);
    expect(documented(event)).toEqual(keysOf(EVENT_SHAPES[event]));
  });

  it('refuse data of another shape, and say what is wrong with it', () => {
    const good = { run: 1, reason: null };
    expect(checkData('plan.cancelled', good)).toBeNull();
    expect(checkData('plan.cancelled', { run: 1 })).toContain('plan.cancelled reason');
    expect(checkData('plan.cancelled', { ...good, extra: true })).toContain('extra');
    expect(checkData('plan.cancelled', { ...good, run: 'one' })).toContain('run');
  });
});
