import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, signCheckpoint } from '../../audit/checkpoint';
import { publicKey, signingKey } from '../../audit/key';
import { leafHash } from '../../audit/merkle';
import { openNote, signNote, verifierKey } from '../../audit/note';

const ORIGIN = 'planwright/default/plan-0a1b2c3d';
const pair = generateKeyPairSync('ed25519');
const verifier = verifierKey(ORIGIN, pair.publicKey);
const checkpoint = { origin: ORIGIN, size: 4711, root: leafHash(Buffer.from('root')) };
const note = signCheckpoint(checkpoint, pair.privateKey);

/** The Go program that opens notes as Go's own client does; null where Go, or the module, cannot be had. */
const goProgram = ((): string | null => {
  const out = mkdtempSync(join(tmpdir(), 'planwright-go-'));
  const cwd = join(__dirname, 'go');
  const built = spawnSync('go', ['build', '-o', join(out, 'open'), '.'], { cwd, timeout: 50_000 });
  return built.status === 0 ? join(out, 'open') : null;
})();
afterAll(() => {
  if (goProgram) rmSync(join(goProgram, '..'), { recursive: true, force: true });
});

describe('a signed note', () => {
  it('gives its text back to whoever knows the key', () => {
    expect(openNote(note, verifier)).toBe(`${ORIGIN}\n4711\n${checkpoint.root.toString('base64')}\n`);
    expect(openCheckpoint(note, ORIGIN, verifier)).toEqual(checkpoint);
  });

  // The example of Go's package documentation: made by another implementation than ours.
  it('made by another implementation is opened', () => {
    const key = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const signed = `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
    expect(openNote(signed, key)).toBe(text);
  });

  it('with any one byte changed opens to nothing, or to the same text', () => {
    const bytes = Buffer.from(note);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [1, 2, 4, 32]) {
        const changed = Buffer.from(bytes);
        changed[at] = (bytes[at] ?? 0) ^ bit;
        expect(openNote(changed.toString('utf8'), verifier)).toBeNull();
      }
    }
  });

  it.each([
    ['without a signature', note.slice(0, note.indexOf('—'))],
    ['without its last newline', note.slice(0, -1)],
    ['with another line behind', `${note}x\n`],
    [
      'with a signature of this key that does not hold beside the one that does',
      `${note}${note.split('\n\n')[1]?.replace(/.{6}\n$/, 'AAAA==\n')}`,
    ],
    ['that is empty', ''],
  ])('%s is none', (_, text) => {
    expect(openNote(text, verifier)).toBeNull();
  });

  it('counts for its own key alone, and signatures by others are passed over', () => {
    const other = generateKeyPairSync('ed25519');
    expect(openNote(note, verifierKey(ORIGIN, other.publicKey))).toBeNull();
    expect(openNote(note, verifierKey('another/name', pair.publicKey))).toBeNull();
    const both = `${note}${signNote(openNote(note, verifier) ?? '', 'witness', other.privateKey).split('\n\n')[1]}`;
    expect(openNote(both, verifier)).not.toBeNull();
    expect(openNote(both, verifierKey('witness', other.publicKey))).not.toBeNull();
    expect(openNote(note, 'nonsense')).toBeNull();
    expect(openNote(note, verifier.replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toBeNull();
  });

  it('that is no checkpoint, or one of another log, is refused', () => {
    const signed = (text: string): string => signNote(text, ORIGIN, pair.privateKey);
    const root = checkpoint.root.toString('base64');
    expect(openCheckpoint(signed(`other\n1\n${root}\n`), ORIGIN, verifier)).toContain('of the log other');
    for (const text of [
      '',
      '\n1',
      `\n01\n${root}`,
      `\n-1\n${root}`,
      `\n1\n${root.slice(4)}`,
      `\n1e3\n${root}`,
      `\n1\n${root}\n`,
    ]) {
      expect(openCheckpoint(signed(`${ORIGIN}${text}\n`), ORIGIN, verifier)).toContain('form of a checkpoint');
    }
  });

  (goProgram ? it : it.skip)("of a checkpoint is opened by Go's golang.org/x/mod/sumdb/note", () => {
    const input = note;
    const out = execFileSync(goProgram ?? '', [verifier], { input, encoding: 'utf8' });
    expect(out).toBe(openNote(note, verifier));
    const wrong = spawnSync(goProgram ?? '', [verifier], { input: note.replace('4711', '4712') });
    expect(wrong.status).toBe(1);
  });
});

describe('the key', () => {
  let state: string;
  beforeEach(() => {
    state = join(mkdtempSync(join(tmpdir(), 'planwright-key-')), 'state');
  });
  afterEach(() => rmSync(join(state, '..'), { recursive: true, force: true }));

  it('is made when it is first needed, by one of many at once, for its owner alone', async () => {
    expect(await publicKey(state)).toBeNull();
    const keys = await Promise.all(Array.from({ length: 10 }, () => signingKey(state)));
    expect(new Set(keys.map((key) => key.export({ format: 'pem', type: 'pkcs8' }))).size).toBe(1);
    expect(readdirSync(state)).toEqual(['audit-key.pem']);
    expect(statSync(join(state, 'audit-key.pem')).mode & 0o777).toBe(0o600);
  });

  it('is refused where others can read it, or where the file holds something else', async () => {
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, 'audit-key.pem'), 'nonsense', { mode: 0o600 });
    await expect(signingKey(state)).rejects.toThrow('no Ed25519 key');
    chmodSync(join(state, 'audit-key.pem'), 0o644);
    await expect(signingKey(state)).rejects.toThrow('open to others');
  });
});
