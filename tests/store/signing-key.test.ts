import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type SignedDecision, signatureFault, signedText } from '../../plan/signing';
import { newSigningKey, publicKeyOf, readSigningKey, signDecision } from '../../store/signing-key';
import { verifyEd25519 } from '../../workflows/ed25519';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-signing-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};
const pemOf = (kind: 'ed25519' | 'x25519'): string => {
  const pair = kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  return String(pair.privateKey.export({ format: 'pem', type: 'pkcs8' }));
};

const DECISION: Omit<SignedDecision, 'nonce' | 'expires'> = {
  plan: 'plan-1a2b3c4d',
  gate: 'gate-0123456789abcdef',
  digest: 'a'.repeat(64),
  decision: 'approve',
  value: null,
  reason: null,
  by: 'ana',
};
const bare = (publicKey: string): string => publicKey.slice('ed25519:'.length);

describe('a new key', () => {
  it('lies in a file of its owner alone, and what it signs is verified by what is printed', async () => {
    const path = join(folder, 'ana.pem');
    const publicKey = await newSigningKey(path, null);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const key = readSigningKey(path, null);
    expect(publicKeyOf(key)).toBe(publicKey);
    const signed = signDecision(key, DECISION, Date.now());
    expect(signatureFault(signed)).toBeNull();
    expect(verifyEd25519(signed.signature, signedText({ ...DECISION, ...signed }), bare(publicKey))).toBe(true);
  });

  it('never takes the place of a file, nor lies in the workspace', async () => {
    const path = file('there', 'something');
    await expect(newSigningKey(path, null)).rejects.toThrow(/is there already/);
    expect(readFileSync(path, 'utf8')).toBe('something');
    const root = join(folder, 'project');
    mkdirSync(root);
    await expect(newSigningKey(join(root, 'ana.pem'), root)).rejects.toThrow(/lies in the workspace/);
    expect(existsSync(join(root, 'ana.pem'))).toBe(false);
  });
});

describe('a key that is there', () => {
  it('may be one that ssh-keygen made', () => {
    const path = join(folder, 'id_ed25519');
    const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ana', '-f', path], {
      timeout: 20_000,
    });
    // Without OpenSSH on this machine there is nothing to read.
    if (made.error) return;
    const key = readSigningKey(path, null);
    const line = readFileSync(`${path}.pub`, 'utf8').split(' ')[1] ?? '';
    expect(publicKeyOf(key)).toBe(`ed25519:${Buffer.from(line, 'base64').subarray(-32).toString('base64')}`);
    const locked = join(folder, 'locked');
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', locked], { timeout: 20_000 });
    expect(() => readSigningKey(locked, null)).toThrow(/encrypted with a passphrase/);
  });

  it.each([
    ['that others can read', () => file('open', pemOf('ed25519'), 0o640), /read or written by others \(mode 0640\)/],
    ['of another kind', () => file('x', pemOf('x25519')), /another kind \(x25519\)/],
    ['that is none', () => file('y', 'hunter2'), /no private key in PEM form/],
    [
      'of OpenSSH that ends too soon',
      () => file('z', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n'),
      /no Ed25519 key as OpenSSH/,
    ],
    ['that is not there', () => join(folder, 'nowhere'), /cannot be read: ENOENT/],
  ])('%s is refused, and not quoted', (_what, make, why) => {
    const path = make();
    expect(() => readSigningKey(path, null)).toThrow(why);
    expect(() => readSigningKey(path, null)).not.toThrow(/hunter2/);
  });
});

describe('a signature', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = bare(publicKeyOf(privateKey));
  const signed = signDecision(privateKey, DECISION, Date.parse('2026-01-31T12:00:00Z'));
  const whole: SignedDecision = { ...DECISION, nonce: signed.nonce, expires: signed.expires };

  it('is good for ten minutes, with a nonce of its own', () => {
    expect(signed.expires).toBe('2026-01-31T12:10:00.000Z');
    expect(signDecision(privateKey, DECISION, 0).nonce).not.toBe(signed.nonce);
    expect(verifyEd25519(signed.signature, signedText(whole), key)).toBe(true);
  });

  it('T27 fits no decision that differs in any one member, in whatever way', () => {
    const text = fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed());
    const nullable = fc.option(text, { nil: null });
    const member = fc.constantFrom(...(Object.keys(whole) as (keyof SignedDecision)[]));
    fc.assert(
      fc.property(member, nullable, fc.jsonValue(), (name, given, json) => {
        const nullableMember = name === 'digest' || name === 'reason';
        const value = name === 'value' ? json : nullableMember ? given : (given ?? '');
        const other = { ...whole, [name]: value };
        let changed: string;
        try {
          changed = signedText(other);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect(verifyEd25519(signed.signature, changed, key)).toBe(changed === signedText(whole));
      }),
      { numRuns: 100 },
    );
  });

  it('T27 fits nothing once a bit of it, of the text or of the key is another', () => {
    const flip = (base64: string, bit: number): string => {
      const bytes = Buffer.from(base64, 'base64');
      const index = Math.floor(bit / 8) % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (1 << (bit % 8));
      return bytes.toString('base64');
    };
    const text = signedText(whole);
    for (let bit = 0; bit < 512; bit += 7) expect(verifyEd25519(flip(signed.signature, bit), text, key)).toBe(false);
    for (let bit = 0; bit < 256; bit += 7) expect(verifyEd25519(signed.signature, text, flip(key, bit))).toBe(false);
  });

  it('T27 by a key of small order, which fits any text, is refused', () => {
    // The neutral element as key and as R, and 0 as S: the equation holds for every text.
    const neutral = Buffer.alloc(32);
    neutral[0] = 1;
    const forged = Buffer.concat([neutral, Buffer.alloc(32)]).toString('base64');
    expect(verifyEd25519(forged, 'whatever', neutral.toString('base64'))).toBe(false);
  });

  it('T27 with S beyond the order of the group, the same signature in other bytes, is refused', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const bytes = Buffer.from(signed.signature, 'base64');
    let s = 0n;
    for (let index = 63; index >= 32; index--) s = (s << 8n) | BigInt(bytes[index] ?? 0);
    s += order;
    for (let index = 32; index < 64; index++, s >>= 8n) bytes[index] = Number(s & 0xffn);
    expect(verifyEd25519(bytes.toString('base64'), signedText(whole), key)).toBe(false);
  });

  it('of RFC 8032, section 7.1, test 1 verifies', () => {
    const hex = (text: string): string => Buffer.from(text, 'hex').toString('base64');
    const publicKey = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    const signature = hex(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
    expect(verifyEd25519(signature, '', publicKey)).toBe(true);
    expect(verifyEd25519(signature, 'x', publicKey)).toBe(false);
  });
});
