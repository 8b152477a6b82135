import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import fc from 'fast-check';
import { IntegrityError, UnreachableError, UsageError } from '../../plan/errors';
import { codecsOf } from '../../store/codec/codecs';
import { type KeyRing, keysFrom, keysText, newKey, parseKeys } from '../../store/codec/keys';
import { checkWorkspaceKey } from '../../store/codec/marker';
import type { PlainPayload } from '../../store/large-payloads';

const NOW = new Date('2026-11-21T10:00:00Z');
const ring = (): KeyRing => [newKey(NOW)];
const one = ring();
const here = { type: 'workflow' as const, namespace: 'planwright', workflowId: 'plan-00000001' };

const payloadOf = (value: unknown): PlainPayload => {
  const made = defaultPayloadConverter.toPayload(value);
  if (!made) throw new Error('no payload');
  return made;
};

async function through(way: 'encode' | 'decode', payload: PlainPayload, keys: KeyRing | null, context = here) {
  const [packing, sealing] = codecsOf(keys, context.namespace);
  if (!packing || !sealing) throw new Error('two codecs');
  const order = way === 'encode' ? [packing, sealing] : [sealing, packing];
  let payloads = [payload];
  for (const codec of order) payloads = await codec[way](payloads, context);
  const [result] = payloads;
  if (!result) throw new Error('no payload');
  return result;
}

const valueIn = (payload: PlainPayload): unknown => {
  const { metadata, data } = payload;
  return defaultPayloadConverter.fromPayload({ metadata: metadata ?? {}, data: data ?? new Uint8Array() });
};

describe('an encrypted payload', () => {
  it('comes back as it was, whatever it holds, and tells nothing of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), fc.string(), async (value, secret) => {
        const marked = { value, secret: `canary-${secret}` };
        const sealed = await through('encode', payloadOf(marked), one);
        expect(Buffer.from(sealed.data ?? []).includes('canary-')).toBe(false);
        expect(valueIn(await through('decode', sealed, one))).toEqual(JSON.parse(JSON.stringify(marked)));
      }),
      { numRuns: 200 },
    );
  });

  it('is another one each time', async () => {
    const [a, b] = [await through('encode', payloadOf('x'), one), await through('encode', payloadOf('x'), one)];
    expect(a.data).not.toEqual(b.data);
  });

  it('packs what is large before it seals it', async () => {
    const large = payloadOf('a line\n'.repeat(400_000));
    const sealed = await through('encode', large, one);
    expect(sealed.data?.length).toBeLessThan(100_000);
    expect(valueIn(await through('decode', sealed, one))).toBe('a line\n'.repeat(400_000));
  });

  it('does not open in another plan or another namespace', async () => {
    const sealed = await through('encode', payloadOf('x'), one);
    for (const other of [
      { ...here, workflowId: 'plan-00000002' },
      { ...here, namespace: 'elsewhere' },
    ]) {
      await expect(through('decode', sealed, one, other)).rejects.toThrow(IntegrityError);
      // Nor where the label is changed as well.
      const relabelled = {
        ...sealed,
        metadata: {
          ...sealed.metadata,
          'encryption-workflow-id': Buffer.from(other.workflowId),
          'encryption-namespace': Buffer.from(other.namespace),
        },
      };
      await expect(through('decode', relabelled, one, other)).rejects.toThrow(/altered/);
    }
  });

  it('without a workflow is not taken for one of a workflow', async () => {
    const [, sealing] = codecsOf(one, here.namespace);
    const [loose] = (await sealing?.encode([payloadOf('x')])) ?? [];
    if (!loose) throw new Error('no payload');
    await expect(through('decode', loose, one)).rejects.toThrow(/moved/);
    expect(valueIn((await sealing?.decode([loose]))?.[0] ?? {})).toBe('x');
  });

  it('does not open after any single byte of it was changed', async () => {
    const sealed = await through('encode', payloadOf({ goal: 'secret' }), one);
    const data = Buffer.from(sealed.data ?? []);
    for (let at = 0; at < data.length; at++) {
      const changed = Buffer.from(data);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(through('decode', { ...sealed, data: changed }, one)).rejects.toThrow(IntegrityError);
    }
    for (const cut of [0, 11, 27, data.length - 1]) {
      await expect(through('decode', { ...sealed, data: data.subarray(0, cut) }, one)).rejects.toThrow(IntegrityError);
    }
  });

  it('names its key where that is not there, without keys as with others', async () => {
    const sealed = await through('encode', payloadOf('x'), one);
    for (const keys of [null, ring()]) {
      const opening = through('decode', sealed, keys);
      await expect(opening).rejects.toThrow(UnreachableError);
      await expect(opening).rejects.toThrow(one[0].id);
    }
  });

  it('is sealed with the first key and opened with any, so that keys can change', async () => {
    const old = await through('encode', payloadOf('old'), one);
    const rotated: KeyRing = [newKey(NOW), ...one];
    expect(valueIn(await through('decode', old, rotated))).toBe('old');
    const fresh = await through('encode', payloadOf('new'), rotated);
    await expect(through('decode', fresh, one)).rejects.toThrow(rotated[0].id);
    expect(valueIn(await through('decode', fresh, [...one, rotated[0]] as unknown as KeyRing))).toBe('new');
  });
});

it('T30 plaintext is refused where keys are configured, also what names an encryption that we do not have', async () => {
  await expect(through('decode', payloadOf('plain'), one)).rejects.toThrow(/plaintext is refused/);
  const sealed = await through('encode', payloadOf('x'), one);
  const weaker = { ...sealed, metadata: { ...sealed.metadata, 'encryption-cipher': Buffer.from('NONE') } };
  await expect(through('decode', weaker, one)).rejects.toThrow(IntegrityError);
});

it('without keys a payload passes as it is', async () => {
  const plain = payloadOf('plain');
  expect(await through('decode', await through('encode', plain, null), null)).toEqual(plain);
});

describe('the keys', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'planwright-codec-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (text: string, mode = 0o600): string => {
    const path = join(folder, 'keys');
    writeFileSync(path, text, { mode });
    return path;
  };

  it('come from a file or a variable, and none means no encryption', () => {
    const text = keysText(one);
    expect(keysFrom({ PLANWRIGHT_CODEC_KEY_FILE: file(text) }, null)).toEqual(one);
    const line = `${one[0].id} ${one[0].secret.toString('base64')}`;
    expect(keysFrom({ PLANWRIGHT_CODEC_KEYS: line }, null)).toEqual(one);
    expect(keysFrom({}, null)).toBeNull();
    expect(keysFrom({ PLANWRIGHT_CODEC_KEY_FILE: '', PLANWRIGHT_CODEC_KEYS: '' }, null)).toBeNull();
  });

  it.each([
    ['a file that others can read', () => ({ PLANWRIGHT_CODEC_KEY_FILE: file(keysText(one), 0o640) }), /chmod|others/],
    ['a file that is not there', () => ({ PLANWRIGHT_CODEC_KEY_FILE: join(folder, 'none') }), /cannot be read/],
    ['a relative path', () => ({ PLANWRIGHT_CODEC_KEY_FILE: 'keys' }), /absolute/],
    ['an empty file', () => ({ PLANWRIGHT_CODEC_KEY_FILE: file('') }), /holds no key/],
    ['both at once', () => ({ PLANWRIGHT_CODEC_KEY_FILE: file(''), PLANWRIGHT_CODEC_KEYS: 'x' }), /both set/],
    ['a short key', () => ({ PLANWRIGHT_CODEC_KEYS: 'k1 c2VjcmV0' }), /line 1/],
    ['an id twice', () => ({ PLANWRIGHT_CODEC_KEYS: `${keysText(one)}${keysText(one)}` }), /twice/],
  ])('are refused as %s, and never quoted', (_, env, why) => {
    const reading = (): unknown => keysFrom(env(), null);
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(why);
    expect(reading).not.toThrow(/c2VjcmV0/);
  });

  it('are refused in a workspace', () => {
    const path = file(keysText(one));
    expect(() => keysFrom({ PLANWRIGHT_CODEC_KEY_FILE: path }, folder)).toThrow(/lies in the workspace/);
  });

  it('are read as they were written', () => {
    const keys = [newKey(NOW), newKey(NOW)];
    expect(parseKeys(keysText(keys), 'x')).toEqual(keys);
  });

  it('are remembered by a workspace, which then refuses to go on without them or with others of that id', async () => {
    const dir = folder;
    await checkWorkspaceKey({ dir }, null, true);
    await checkWorkspaceKey({ dir }, one, true);
    await checkWorkspaceKey({ dir }, one, false);
    expect(readFileSync(join(dir, 'encrypted'), 'utf8')).not.toContain(one[0].secret.toString('base64'));
    await expect(checkWorkspaceKey({ dir }, null, true)).rejects.toThrow(UnreachableError);
    await expect(checkWorkspaceKey({ dir }, ring(), true)).rejects.toThrow(one[0].id);
    const namesake: KeyRing = [{ ...one[0], secret: Buffer.alloc(32) }];
    await expect(checkWorkspaceKey({ dir }, namesake, true)).rejects.toThrow(/another one/);
    // A key that comes to the front is noted; from then on that one has to be there.
    const rotated: KeyRing = [newKey(NOW), ...one];
    await checkWorkspaceKey({ dir }, rotated, true);
    await expect(checkWorkspaceKey({ dir }, one, true)).rejects.toThrow(rotated[0].id);
  });
});
