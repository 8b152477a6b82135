import fc from 'fast-check';
import { objectPlaces, RefError, refsIn, resolveRefs } from '../../plan/refs';
import type { JsonObject } from '../../plan/types';

const outputs = {
  '2': {
    output: { path: 'Dockerfile', port: 3000, ok: true, files: ['Dockerfile'], summary: 'done' },
    primary: 'path',
  },
  'app.web': { output: { path: 'web/Dockerfile' }, primary: 'path' },
  app: { output: { web: 'of app', 'web.path': 'odd' }, primary: null },
};

const never = (): boolean => false;
const always = (): boolean => true;
const resolve = (input: JsonObject, takesObject = never): JsonObject => resolveRefs(input, outputs, takesObject);

describe('references in an input', () => {
  it('are found at any depth, each once, and never in keys', () => {
    const input = { a: '$ref:2', b: [{ '$ref:9': 'x $ref:2.port and $ref:2.port' }], c: '$ref:', d: 5 };
    expect(refsIn(input)).toEqual([
      { task: '2', key: null },
      { task: '2', key: 'port' },
    ]);
  });

  it('belong to the longest id that is known', () => {
    const ids = new Set(['app', 'app.web']);
    expect(refsIn({ a: '$ref:app.web.path' }, ids)).toEqual([{ task: 'app.web', key: 'path' }]);
    expect(refsIn({ a: '$ref:app.web' }, ids)).toEqual([{ task: 'app.web', key: null }]);
    expect(refsIn({ a: '$ref:app.other' }, ids)).toEqual([{ task: 'app', key: 'other' }]);
    expect(refsIn({ a: '$ref:app.web.path' }, new Set(['app']))).toEqual([{ task: 'app', key: 'web.path' }]);
  });

  it('leave the full stop of a sentence alone', () => {
    expect(refsIn({ a: 'Listen on $ref:2.port.' })).toEqual([{ task: '2', key: 'port' }]);
    expect(resolve({ a: 'Listen on $ref:2.port.' })).toEqual({ a: 'Listen on 3000.' });
  });
});

describe('resolving', () => {
  it('keeps the type of a value that a whole string picks', () => {
    expect(resolve({ a: '$ref:2.port', b: '$ref:2.ok', c: '$ref:2.files' })).toEqual({
      a: 3000,
      b: true,
      c: ['Dockerfile'],
    });
  });

  it('gives the whole output where an object is taken and the primary key elsewhere', () => {
    expect(resolve({ a: '$ref:2' }, always)).toEqual({ a: outputs['2'].output });
    expect(resolve({ a: '$ref:2' })).toEqual({ a: 'Dockerfile' });
  });

  it('puts scalars into longer strings and refuses anything else there', () => {
    expect(resolve({ a: 'FROM $ref:2 on $ref:2.port/tcp, $ref:2.ok' })).toEqual({
      a: 'FROM Dockerfile on 3000/tcp, true',
    });
    expect(() => resolve({ a: 'x $ref:2.files' })).toThrow(RefError);
    expect(() => resolve({ a: 'x $ref:2.files' })).toThrow(/is a list/);
  });

  it('names an unknown task, an unknown key and a missing primary key', () => {
    expect(() => resolve({ a: '$ref:7' })).toThrow('$ref:7 names no task');
    expect(() => resolve({ a: '$ref:2.image' })).toThrow('has no "image". It has: path, port, ok, files, summary.');
    expect(() => resolve({ a: '$ref:app' })).toThrow('no primary key');
    expect(() => resolve({ a: '$ref:2.constructor' })).toThrow(RefError);
    expect(() => resolve({ a: '$ref:__proto__' })).toThrow(RefError);
  });

  it('never reads inserted data again', () => {
    const hostile = fc.string().map((text) => `${text}$ref:secret $ref:1.v`);
    fc.assert(
      fc.property(hostile, (text) => {
        const all = { '1': { output: { v: text }, primary: 'v' }, secret: { output: { v: 'LEAK' }, primary: 'v' } };
        expect(resolveRefs({ a: '$ref:1.v', b: 'see $ref:1.v!' }, all, never)).toEqual({ a: text, b: `see ${text}!` });
      }),
    );
  });

  it('leaves an input without references as it is', () => {
    const plain = fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.oneof(fc.integer(), fc.boolean(), fc.constant('a $ref b')),
    );
    fc.assert(fc.property(plain, (input) => expect(resolve({ ...input })).toEqual({ ...input })));
  });
});

describe('the places of a schema that take an object', () => {
  const takes = objectPlaces({
    type: 'object',
    properties: {
      image: { type: 'object' },
      name: { type: 'string' },
      either: { anyOf: [{ type: 'string' }, { type: 'object' }] },
      list: { type: 'array', items: { type: ['object', 'null'] } },
    },
    additionalProperties: { type: 'object' },
  });

  it('are those whose type is an object and no scalar', () => {
    expect(takes(['image'])).toBe(true);
    expect(takes(['list', 3])).toBe(true);
    expect(takes(['unnamed'])).toBe(true);
    expect(takes(['name'])).toBe(false);
    expect(takes(['either'])).toBe(false);
    expect(takes(['name', 'deeper'])).toBe(false);
  });
});
