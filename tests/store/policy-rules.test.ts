import { NO_DEADLINES, NO_RULES } from '../../plan/rules/types';
import { checkPolicyTools, DEFAULT_POLICY, DEFAULT_POLICY_YAML, policyShape, policySnapshot } from '../../store/policy';
import { policyRules } from '../../store/policy-rules';
import { parseYaml } from '../../store/yaml-file';

const parse = (text: string) => parseYaml(`version: 1\n${text}`, 'policy.yaml', policyShape);
const rules = (text: string) => policyRules(parse(text));

describe('rules of policy.yaml', () => {
  it('are none where the policy has none', () => {
    expect(policyRules(DEFAULT_POLICY)).toEqual(NO_RULES);
  });

  it('become what the workflow rules by', () => {
    const { rules: made, deadlines } = rules(`
deadlines: { remind: 90s, expire: 7d }
rules:
  - name: workflows
    tools: [github-actions]
    paths: ['.github/**']
    risk: MEDIUM
    approvals: 2
    by: [ana, ben, cem]
    excludeRequester: true
    escalate: { after: 1d, to: [lea] }
    expire: never
  - { name: stuck, gates: [stuck, budget], by: [ops] }
`);
    expect(deadlines).toEqual({ ...NO_DEADLINES, remindMs: 90_000, expireMs: 7 * 86_400_000 });
    expect(made).toEqual([
      {
        name: 'workflows',
        gates: ['file'],
        tools: ['github-actions'],
        paths: ['.github/**'],
        risk: 'MEDIUM',
        approvals: 2,
        by: ['ana', 'ben', 'cem'],
        excludeRequester: true,
        deadlines: { remindMs: 90_000, escalateMs: 86_400_000, escalateTo: ['lea'], expireMs: null },
      },
      expect.objectContaining({ name: 'stuck', gates: ['stuck', 'budget'], approvals: 1, deadlines }),
    ]);
  });

  it('name budgets and freeze windows, once and every week, in UTC', () => {
    const { budgets, freeze } = rules(`
budgets: { plan: { tokens: 5000 }, task: { calls: 3 } }
freeze:
  - { name: year end, from: '2026-12-20T01:00:00+01:00', until: '2027-01-04T00:00:00Z' }
  - { name: weekend, from: fri 16:00, until: mon 06:00, run: wait }
`);
    expect(budgets).toEqual({ plan: { tokens: 5000, calls: null }, task: { tokens: null, calls: 3 } });
    expect(freeze).toEqual([
      {
        name: 'year end',
        once: { from: '2026-12-20T00:00:00.000Z', until: '2027-01-04T00:00:00.000Z' },
        weekly: null,
        run: 'refuse',
      },
      { name: 'weekend', once: null, weekly: { from: (4 * 24 + 16) * 60, until: 6 * 60 }, run: 'wait' },
    ]);
  });

  it.each([
    ['rules: [{ tools: [x] }]', /rules\.0\.name/],
    ['rules: [{ name: a, tool: [x] }]', /unknown key "tool" under rules\.0/],
    ['rules: [{ name: a, gates: [plan] }]', /rules\.0\.gates\.0/],
    ['rules: [{ name: a, risk: high }]', /rules\.0\.risk/],
    ['rules: [{ name: a }, { name: a }]', /two rules have the same name/],
    ['rules: [{ name: a, gates: [tool], paths: [x] }]', /a tool gate is about no file/],
    ['rules: [{ name: a, approvals: 3, by: [x, y] }]', /only 2 may approve/],
    ['rules: [{ name: a, approvals: 2, by: [x, X] }]', /names somebody twice/],
    ['rules: [{ name: a, approvals: 2, by: [x, x@laptop] }]', /names somebody twice/],
    ['rules: [{ name: a, gates: [stuck], approvals: 2 }]', /one person decides a stuck gate/],
    ['rules: [{ name: a, paths: [../x] }]', /relative to the workspace/],
    ['rules: [{ name: a, by: [] }]', /rules\.0\.by/],
    ['rules: [{ name: a, expire: 3 weeks }]', /"3 weeks" is no duration/],
    ['rules: [{ name: a, expire: 5 }]', /expected a duration/],
    ['deadlines: { expires: 1d }', /unknown key "expires" under deadlines/],
    ['deadlines: { escalate: { after: 1d } }', /deadlines\.escalate\.to/],
    ['budgets: { plan: { dollars: 3 } }', /unknown key "dollars" under budgets\.plan/],
    ['budgets: { plan: { tokens: 0 } }', /budgets\.plan\.tokens/],
    ["freeze: [{ name: a, from: 'fri 16:00', until: '2027-01-04T00:00:00Z' }]", /both times, or both days/],
    ["freeze: [{ name: a, from: '2027-01-04T00:00:00Z', until: '2026-01-04T00:00:00Z' }]", /is not after "from"/],
    ['freeze: [{ name: a, from: friday, until: monday }]', /expected a time such as/],
  ])('%s is an error with its place', (text, why) => {
    expect(() => parse(text)).toThrow(why);
  });

  it('that name a tool which there is not are an error, never a rule that does not match', () => {
    const policy = parse('rules: [{ name: ci, tools: [github-action] }]');
    expect(() => checkPolicyTools(policy, ['github-actions', 'dockerfile'])).toThrow(
      /rule "ci" names the tool "github-action", which does not exist/,
    );
    expect(() => checkPolicyTools(parse('rules: [{ name: ci, tools: [dockerfile] }]'), ['dockerfile'])).not.toThrow();
  });

  it('change the digest that a run records', () => {
    expect(policySnapshot(parse('rules: [{ name: a }]')).digest).not.toBe(policySnapshot(DEFAULT_POLICY).digest);
  });

  it('are documented by examples in the file of init that hold when they are uncommented', () => {
    const from = DEFAULT_POLICY_YAML.indexOf('# Who decides. The first rule');
    const block = DEFAULT_POLICY_YAML.slice(
      from,
      DEFAULT_POLICY_YAML.indexOf('\n', DEFAULT_POLICY_YAML.indexOf('\nfreeze: []') + 1),
    );
    const example = `version: 1\n${block}`
      .replace(/^(rules|freeze): \[\]$|^(deadlines|budgets): \{\}$/gm, '')
      .replace(/^# (rules:|deadlines:|budgets:|freeze:| {2}.*)$/gm, '$1');
    const made = policyRules(parseYaml(example, 'policy.yaml', policyShape));
    expect(made.rules.map(({ name }) => name)).toEqual(['workflows']);
    expect(made.deadlines.expireMs).not.toBeNull();
    expect(made.budgets.task.calls).not.toBeNull();
    expect(made.freeze).toHaveLength(2);
  });
});
