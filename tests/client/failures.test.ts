import { connectionError, isPassing, workflowRefusal } from '../../client/failures';

const grpc = (code: number, message = 'said the server'): Error => Object.assign(new Error(message), { code });

describe('what calling Temporal throws', () => {
  it.each([
    [7, 'refuses the credentials'],
    [16, 'refuses the credentials'],
    [4, 'did not answer in time'],
    [14, 'cannot be reached'],
  ])('is told in words and ends with code 4 (gRPC %d)', (code, words) => {
    const error = connectionError(grpc(code), 'h:1');
    expect(error).toMatchObject({ exitCode: 4, message: expect.stringContaining(words) });
    expect(error.message).toContain('h:1');
    expect(error.advice).toBeTruthy();
  });

  it('is passing for restarts and races, wherever in the chain of causes the code stands', () => {
    expect(isPassing(new Error('outer', { cause: grpc(14) }))).toBe(true);
    expect(isPassing(grpc(9))).toBe(true);
    expect(isPassing(grpc(16))).toBe(false);
    expect(isPassing(new Error('no code'))).toBe(false);
  });
});

describe('a refusal of the workflow', () => {
  it.each([
    ['BadInput', 2],
    ['UnknownGate', 2],
    ['StaleDigest', 5],
    ['AlreadyDecided', 5],
    ['NotAllowed', 5],
    ['NotReady', 5],
    ['PlanRunning', 5],
    ['Other', 1],
  ])('%s ends with code %d', (type, exitCode) => {
    const failure = Object.assign(new Error('why'), { name: 'ApplicationFailure', type });
    expect(workflowRefusal(new Error('update failed', { cause: failure }))).toMatchObject({ exitCode, message: 'why' });
  });

  it('is not taken from an error of another kind', () => {
    expect(workflowRefusal(grpc(14))).toBeNull();
  });
});
