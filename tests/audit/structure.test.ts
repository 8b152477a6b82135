import { chain, EMPTY, headAfter } from '../../audit/chain';
import { isFault, parseLine } from '../../audit/entry';
import type { Fault } from '../../audit/errors';
import type { Piece } from '../../audit/forward';
import { Structure } from '../../audit/structure';
import type { Head } from '../../audit/types';
import { randomFrom } from '../support/random';
import { ID, projection, respelt } from './support/logs';

const { lines } = chain(EMPTY, ID.log, projection(200));
const headBefore = (at: number): Head => {
  const line = lines[at - 1];
  return line ? headAfter(line.entry) : EMPTY;
};

function pieces(bytes: Buffer): Piece[] {
  const found: Piece[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    found.push({ bytes: bytes.subarray(start, end < 0 ? bytes.length : end), offset: start, isWhole: end >= 0 });
    start = end < 0 ? bytes.length : end + 1;
  }
  return found;
}

/** Reads bytes that stand where line `at` begins. */
function read(at: number, bytes: Buffer): Structure {
  const structure = new Structure(ID.log);
  structure.head = headBefore(at);
  const given = pieces(bytes);
  for (const piece of given) structure.take({ segment: '000001.jsonl', isLast: true, pieces: given }, piece);
  return structure;
}

function lineBytes(at: number): Buffer {
  const line = lines[at];
  return line ? Buffer.concat([line.bytes, Buffer.of(0x0a)]) : Buffer.alloc(0);
}

it('a log as it was written holds', () => {
  const { fault, torn, head } = read(0, Buffer.concat(lines.map((_, at) => lineBytes(at))));
  expect({ fault, torn, size: head.size }).toEqual({ fault: null, torn: null, size: 200 });
});

it('each byte of 200 entries, flipped in any bit, is found in its own entry', () => {
  const random = randomFrom(7);
  let missed = 0;
  let flips = 0;
  for (const at of lines.keys()) {
    const [own, next] = [lineBytes(at), lineBytes(at + 1)];
    for (let index = 0; index < own.length; index += 1) {
      const bytes = Buffer.concat([own, next]);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << random.between(0, 7));
      flips += 1;
      if (read(at, bytes).fault?.seq !== at) missed += 1;
    }
  }
  expect(flips).toBeGreaterThan(100_000);
  expect(missed).toBe(0);
});

it('each line that is missing, double, or exchanged with the next is found where it stands', () => {
  for (let at = 0; at < 199; at += 1) {
    const [own, next, third] = [lineBytes(at), lineBytes(at + 1), lineBytes(at + 2)];
    expect(read(at, next).fault).toMatchObject({
      what: 'seq',
      seq: at,
      offset: 0,
      expected: `${at}`,
      actual: `${at + 1}`,
    });
    expect(read(at, Buffer.concat([own, own])).fault).toMatchObject({ what: 'seq', seq: at + 1, offset: own.length });
    expect(read(at, Buffer.concat([next, own, third])).fault).toMatchObject({ what: 'seq', seq: at });
  }
});

describe('a line of another spelling, with the hash that belongs to it, is refused:', () => {
  const line = lines[5]?.bytes.toString('latin1') ?? '';
  const cases: [string, Fault['what'], (body: string) => string][] = [
    ['a space more', 'canonical', (body) => body.replace('"seq":5', '"seq": 5')],
    ['a key twice', 'canonical', (body) => body.replace('"seq":5', '"seq":5,"seq":5')],
    ['keys in another order', 'canonical', (body) => body.replace(/("run":"[^"]*"),("seq":5)/, '$2,$1')],
    ['5.0', 'canonical', (body) => body.replace('"seq":5', '"seq":5.0')],
    ['5e0', 'canonical', (body) => body.replace('"seq":5', '"seq":5e0')],
    ['-0', 'canonical', (body) => body.replace(/"prompt":\d+/, '"prompt":-0')],
    ['an escape that need not be', 'canonical', (body) => body.replace('"ana"', '"\\u0061na"')],
    ['an escaped slash', 'canonical', (body) => body.replace('deploy/5', 'deploy\\/5')],
    ['half a surrogate pair', 'json', (body) => body.replace('"ana"', '"\\ud800"')],
    ['bytes that are no UTF-8', 'utf8', (body) => body.replace('"ana"', '"\xff"')],
    ['an integer that no double holds', 'json', (body) => body.replace(/"prompt":\d+/, '"prompt":9007199254740993')],
    ['nothing that is JSON', 'json', () => 'nothing'],
    ['an unknown event', 'shape', (body) => body.replace(/"event":"[^"]*"/, '"event":"file.blessed"')],
    ['an unknown type', 'shape', (body) => body.replace('planwright.audit/1', 'planwright.audit/2')],
    ['a key that no entry has', 'shape', (body) => body.replace('"typ":', '"tip":1,"typ":')],
    ['no run, where only our own entries have none', 'shape', (body) => body.replace(/"run":"[^"]*"/, '"run":null')],
    ['another log', 'log', (body) => body.replace(ID.log, 'planwright/default/plan-ffffffff')],
    [
      'another predecessor',
      'prev',
      (body) => body.replace(/"prev":"."/, '"prev":"0"').replace(/"prev":"[0-9a-f]/, '"prev":"e'),
    ],
    ['another number', 'seq', (body) => body.replace('"seq":5', '"seq":6')],
  ];

  it.each(cases)('%s', (_, what, change) => {
    const bytes = respelt(line, (body) => {
      const changed = change(body);
      expect(changed).not.toBe(body);
      return changed;
    });
    expect(read(5, Buffer.concat([bytes, Buffer.of(0x0a)])).fault).toMatchObject({ what, seq: 5 });
  });

  it('nesting that is deeper than any reader bears', () => {
    const deep = `${'['.repeat(8000)}${']'.repeat(8000)}`;
    const bytes = respelt(line, (body) => body.replace(/"weight":[^,]*/, `"weight":${deep}`));
    expect(() => read(5, Buffer.concat([bytes, Buffer.of(0x0a)]))).not.toThrow();
  });

  it('a longer one than a line may be', () => {
    const bytes = respelt(line, (body) => body.replace('deploy/5', 'x'.repeat(16_384)));
    expect(read(5, Buffer.concat([bytes, Buffer.of(0x0a)])).fault).toMatchObject({ what: 'size', seq: 5 });
  });

  it('data that its event cannot have', () => {
    const found = parseLine(lines[5]?.bytes ?? Buffer.alloc(0), (event) => `not as ${event}`);
    expect(isFault(found) && found).toMatchObject({ what: 'data' });
  });
});

it('what a killed writer leaves of a line is no fault, wherever it was cut; a changed newline is one', () => {
  const own = lineBytes(9);
  for (let length = 1; length < own.length; length += 1) {
    const { fault, torn } = read(9, own.subarray(0, length));
    expect({ fault, torn }).toEqual({ fault: null, torn: { segment: '000001.jsonl', offset: 0, bytes: length } });
  }
  expect(read(9, Buffer.concat([own.subarray(0, -1), Buffer.of(0x0b)])).fault).toMatchObject({ what: 'torn', seq: 9 });
  expect(read(9, Buffer.from('something else')).fault).toMatchObject({ what: 'torn', seq: 9 });
});
