import { ApplicationFailure } from '@temporalio/common';
import { withoutWords } from '../../worker/log-words';

it('leaves of an error its kind and none of its words, in whatever field it stands', () => {
  const failure = ApplicationFailure.create({ message: 'a secret', type: 'ProviderRefused', details: ['a secret'] });
  const line = withoutWords({
    plan: 'plan-1',
    error: failure,
    cause: new TypeError('a secret'),
    attempt: 2,
  });
  expect(line).toEqual({
    plan: 'plan-1',
    error: { name: 'ApplicationFailure', type: 'ProviderRefused' },
    cause: { name: 'TypeError' },
    attempt: 2,
  });
});

it.each([
  [String(new TypeError('a secret')), 'TypeError'],
  ['ProviderRefused', 'ProviderRefused'],
  ['something with a secret', 'Error'],
  ['two words: a secret', 'Error'],
])('of the text %s the kind %s', (text, kind) => expect(withoutWords({ error: text })).toEqual({ error: kind }));
