import fc from 'fast-check';
import { forbidden, reachesQuorum, samePerson, type Vote, withVote } from '../../../plan/rules/votes';

const ballot = { approvals: 2, by: ['ana', 'ben', 'cem'], excludeRequester: true, requester: 'Ana' };
const vote = (by: string, decision = 'approve'): Vote => ({
  by,
  decision,
  reason: null,
  at: '2026-01-01T00:00:00.000Z',
});

describe('who may answer', () => {
  it.each([
    ['dan', 'approve', /lets ana, ben, cem decide here; not dan/],
    ['ana', 'approve', /own request/],
    [' ANA ', 'approve', /own request/],
    ['ana@laptop', 'approve', /own request/],
    ['ana', 'raise', /own request/],
    ['ana', 'retry', /own request/],
  ])('%s may not %s', (who, decision, why) => {
    expect(forbidden(ballot, who, decision)).toMatch(why);
  });

  it.each([
    ['ben', 'approve'],
    ['BEN', 'approve'],
    ['ben@laptop', 'approve'],
    ['ana', 'reject'],
    ['ana', 'request-changes'],
    ['ana', 'stop'],
  ])('%s may %s', (who, decision) => {
    expect(forbidden(ballot, who, decision)).toBeNull();
  });

  it('is anyone, oneself included, where policy says nothing', () => {
    expect(
      forbidden({ approvals: 1, by: null, excludeRequester: false, requester: 'ana' }, 'ana', 'approve'),
    ).toBeNull();
  });
});

describe('votes', () => {
  it('of one person under several spellings are one', () => {
    expect(samePerson('Ana', ' ana')).toBe(true);
    expect(samePerson('ａｎａ', 'ana')).toBe(true);
    expect(samePerson('ana', 'Ana@laptop')).toBe(true);
    expect(samePerson('ana@laptop', 'ana@desk')).toBe(false);
    expect(samePerson('@', 'ana@laptop')).toBe(false);
    const votes = ['ana', 'ANA', ' Ana ', 'ana@laptop'].reduce<Vote[]>((all, by) => withVote(all, vote(by)), []);
    expect(votes).toHaveLength(1);
    expect(reachesQuorum({ approvals: 2 }, votes)).toBe(false);
  });

  it('of one person of the policy are one, from however many machines', () => {
    const by = ['ana', 'ben'];
    const votes = ['ana@laptop', 'ana@desk', 'Ana'].reduce<Vote[]>((all, who) => withVote(all, vote(who), by), []);
    expect(votes).toMatchObject([{ by: 'Ana' }]);
    expect(withVote(votes, vote('ben@desk'), by)).toHaveLength(2);
    // Where the policy knows the machines apart, so are the votes.
    const apart = ['ana@laptop', 'ana@desk'];
    expect(apart.reduce<Vote[]>((all, who) => withVote(all, vote(who), apart), [])).toHaveLength(2);
    const own = { approvals: 1, by, excludeRequester: true, requester: 'ana@laptop' };
    expect(forbidden(own, 'ana@desk', 'approve')).toMatch(/nobody approve their own request/);
    expect(forbidden(own, 'ben@desk', 'approve')).toBeNull();
  });

  it('reach the quorum exactly when that many people approve last, in any order and with any repetition', () => {
    const people = ['ana', 'ben', 'cem', 'dan'];
    const said = fc.record({ by: fc.constantFrom(...people), decision: fc.constantFrom('approve', 'other') });
    fc.assert(
      fc.property(fc.array(said, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (all, approvals) => {
        const votes = all.reduce<Vote[]>((before, { by, decision }) => withVote(before, vote(by, decision)), []);
        const last = new Map(all.map(({ by, decision }) => [by, decision]));
        const approving = [...last.values()].filter((decision) => decision === 'approve').length;
        expect(reachesQuorum({ approvals }, votes)).toBe(approving >= approvals);
      }),
    );
  });
});
