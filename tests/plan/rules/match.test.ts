import fc from 'fast-check';
import { mayDemand, requirementFor } from '../../../plan/rules/match';
import { NO_DEADLINES, NO_RULES, type PolicyRules, type Rule } from '../../../plan/rules/types';
import type { Risk } from '../../../plan/types';

const rule = (name: string, change: Partial<Rule> = {}): Rule => ({
  name,
  gates: ['file'],
  tools: null,
  paths: null,
  risk: null,
  approvals: 1,
  by: null,
  excludeRequester: false,
  deadlines: null,
  ...change,
});
const policy = (...rules: Rule[]): PolicyRules => ({ ...NO_RULES, rules });
const file = (path: string, risk: Risk = 'LOW', tool = 'dockerfile') => ({
  gate: 'file' as const,
  tools: [tool],
  path,
  risk,
});

describe('requirementFor', () => {
  it('takes the first rule that matches, and no other', () => {
    const rules = policy(
      rule('docs', { paths: ['docs/**'], approvals: 0 }),
      rule('ci', { tools: ['github-actions'], approvals: 2, by: ['ana', 'ben'] }),
      rule('high', { risk: 'HIGH', approvals: 3 }),
    );
    expect(requirementFor(rules, file('docs/a', 'HIGH'))).toMatchObject({
      rule: 'docs',
      demanded: false,
      approvals: 1,
    });
    expect(requirementFor(rules, file('x', 'HIGH', 'github-actions'))).toMatchObject({ rule: 'ci', approvals: 2 });
    expect(requirementFor(rules, file('x', 'HIGH'))).toMatchObject({ rule: 'high', demanded: true, approvals: 3 });
    expect(requirementFor(rules, file('x', 'MEDIUM'))).toMatchObject({ rule: null, demanded: false, by: null });
  });

  it('keeps the kinds of gate apart', () => {
    const rules = policy(
      rule('tools', { gates: ['tool'] }),
      rule('runs', { gates: ['risk', 'stuck'], risk: 'MEDIUM' }),
    );
    const about = (gate: Rule['gates'][number], risk: Risk) =>
      requirementFor(rules, { gate, tools: ['dockerfile'], path: null, risk }).rule;
    expect(about('tool', 'LOW')).toBe('tools');
    expect(about('risk', 'LOW')).toBeNull();
    expect(about('risk', 'HIGH')).toBe('runs');
    expect(about('stuck', 'MEDIUM')).toBe('runs');
    expect(about('budget', 'HIGH')).toBeNull();
  });

  it('gives a gate of the whole plan to a rule for any of its tools', () => {
    const rules = policy(rule('ci', { gates: ['risk'], tools: ['github-actions'] }));
    const about = (...tools: string[]) => requirementFor(rules, { gate: 'risk', tools, path: null, risk: 'LOW' }).rule;
    expect(about('dockerfile', 'github-actions')).toBe('ci');
    expect(about('dockerfile')).toBeNull();
  });

  it("has the policy's deadlines where the rule has none", () => {
    const general = { ...NO_DEADLINES, expireMs: 9 };
    const rules = {
      ...policy(rule('own', { paths: ['a'], deadlines: { ...general, expireMs: 1 } })),
      deadlines: general,
    };
    expect(requirementFor(rules, file('a')).deadlines.expireMs).toBe(1);
    expect(requirementFor(rules, file('b')).deadlines.expireMs).toBe(9);
  });
});

it('no file meets a demand that mayDemand did not see coming', () => {
  const risks: Risk[] = ['LOW', 'MEDIUM', 'HIGH'];
  const anyRule = fc.record({
    tools: fc.option(fc.subarray(['a', 'b'], { minLength: 1 })),
    paths: fc.option(fc.subarray(['*.tf', 'deploy/**', 'x'], { minLength: 1 })),
    risk: fc.option(fc.constantFrom(...risks)),
    approvals: fc.integer({ min: 0, max: 2 }),
    gates: fc.subarray<Rule['gates'][number]>(['file', 'tool'], { minLength: 1 }),
  });
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 5 }),
      fc.constantFrom('a', 'b'),
      fc.constantFrom('x', 'main.tf', 'deploy/x', 'other'),
      (rules, tool, path) => {
        const made = policy(...rules.map((one, at) => rule(String(at), one)));
        const demanded = risks.map((risk) => requirementFor(made, file(path, risk, tool)).demanded);
        expect(mayDemand(made, tool, path)).toBe(demanded.includes(true));
      },
    ),
    { numRuns: 2000 },
  );
});
