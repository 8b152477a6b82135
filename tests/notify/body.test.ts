import fc from 'fast-check';
import { jsonBody, slackBody } from '../../notify/body';
import { NEWS } from './news';

const about = (news: typeof NEWS) => ({ id: 'notification-1', event: 'gate.opened', news }) as const;

it('the JSON body has exactly the documented keys', () => {
  expect(JSON.parse(jsonBody(about(NEWS)))).toEqual({
    schema: 'planwright.notification/1',
    id: 'notification-1',
    event: 'gate.opened',
    seq: 7,
    at: NEWS.at,
    plan: NEWS.plan,
    run: NEWS.run,
    gate: NEWS.gate,
    decision: null,
    reason: null,
    tasks: null,
    command: NEWS.command,
  });
});

it('T17 secrets in the goal, the name, a path or a reason are masked in either form', () => {
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const decision = { decision: 'reject', by: 'ana', reason: `see ${token}`, at: NEWS.at };
  const plan = { ...NEWS.plan, name: token, goal: `deploy with ${token}` };
  const gate = NEWS.gate && { ...NEWS.gate, path: `deploy/${token}.yml` };
  const news = { ...NEWS, plan, gate, decision, reason: `password: ${token}` };
  for (const body of [jsonBody(about(news)), slackBody(about(news))]) expect(body).not.toContain(token);
});

it('a Slack message calls nobody and links nowhere, whatever people and models wrote', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('<!channel>', '<https://evil|click>', '&lt;!here&gt;', '\u202e', '```'),
  );
  fc.assert(
    fc.property(text, text, text, (name, path, reason) => {
      const gate = NEWS.gate && { ...NEWS.gate, path };
      const body = slackBody(about({ ...NEWS, plan: { ...NEWS.plan, name }, gate, reason }));
      const message: { text: string } = JSON.parse(body);
      expect(message.text).not.toMatch(/[<>\u202a-\u202e\u2066-\u2069\0]/u);
    }),
  );
});

it('a Slack message says what waits and the line to type', () => {
  const message: { text: string } = JSON.parse(slackBody(about(NEWS)));
  expect(message.text.split('\n')).toEqual([
    '*ci* (plan-1a2b3c4d): waits for a decision',
    'file gate for Dockerfile, LOW risk, +12 -3',
    '`planwright approve plan-1a2b3c4d --gate gate-0123456789abcdef`',
  ]);
});
