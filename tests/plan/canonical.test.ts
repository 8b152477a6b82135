import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson } from '../../plan/canonical';

describe('canonical JSON', () => {
  it('spells the example of RFC 8785, section 3.2.2, without its integer beyond 2^53', () => {
    const text =
      '{"numbers":[333333333.33333329,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    expect(canonicalJson(JSON.parse(text))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys as RFC 8785, section 3.2.3, does', () => {
    const value = { '\u20ac': 5, '\r': 1, '\ufb33': 7, '1': 2, '\ud83d\ude00': 6, '\u0080': 3, '\u00f6': 4 };
    expect(Object.values(JSON.parse(canonicalJson(value)))).toHaveLength(7);
    expect(canonicalJson(value).match(/:\d/g)).toEqual([':1', ':2', ':3', ':4', ':5', ':6', ':7']);
  });

  // Appendix B of RFC 8785: the double's bits, and its spelling.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['4340000000000000', null],
    ['c340000000000000', null],
    ['7fefffffffffffff', null],
    ['44b52d02c7e14af6', null],
    ['7fffffffffffffff', null],
    ['7ff0000000000000', null],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('spells the double %s as %s', (bits, spelt) => {
    const value = Buffer.from(bits, 'hex').readDoubleBE();
    if (spelt === null) expect(() => canonicalJson(value)).toThrow(TypeError);
    else expect(canonicalJson(value)).toBe(spelt);
  });

  it('spells 10,000 random values as the package canonicalize does', () => {
    const isSafe = (value: unknown): boolean =>
      !JSON.stringify(value, (_, one) =>
        Number.isInteger(one) && !Number.isSafeInteger(one) ? '\0unsafe' : one,
      ).includes('\\u0000unsafe');
    const values = fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 }).filter(isSafe);
    fc.assert(
      fc.property(values, (value) => {
        const spelt = canonicalJson(value);
        expect(spelt).toBe(canonicalize(value));
        expect(canonicalJson(JSON.parse(spelt))).toBe(spelt);
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['a number that is none', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['an integer beyond 2^53', { a: 2 ** 53 }],
    ['undefined in an array', [undefined]],
    ['a hole', new Array(2)],
    ['half a surrogate pair', '\ud800'],
    ['half a surrogate pair as a key', { '\udc00': 1 }],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a function', () => 1],
    ['a big integer', 1n],
  ])('has no spelling for %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it('leaves out members that are undefined, and takes a key named __proto__ as any other', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
    expect(canonicalJson(JSON.parse('{"__proto__":{"x":1},"a":2}'))).toBe('{"__proto__":{"x":1},"a":2}');
  });
});
