/** A Temporal server elsewhere, behind client certificates and behind an API key: by variables, by a profile, for commands and worker. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { authority, certificateDoor, type Door, keyDoor, type Pair } from '../support/doors';
import { startServer } from '../support/temporal';
import { Installation } from './installation';

const openssl = spawnSync('openssl', ['version']).status === 0;
const here = openssl ? describe : describe.skip;
const KEY = 'an-api-key';

here(`a server elsewhere${openssl ? '' : ' (openssl is missing)'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-doors-'));
  let server: TestWorkflowEnvironment;
  let byCertificate: Door;
  let byKey: Door;
  let ca: string;
  let client: Pair;
  let stranger: Pair;
  let installation: Installation;

  beforeAll(async () => {
    server = await startServer();
    const ours = authority(folder, 'ours');
    ca = ours.ca;
    client = ours.issue('client');
    stranger = authority(folder, 'theirs').issue('stranger');
    const door = ours.issue('localhost');
    byCertificate = await certificateDoor(server.address, door, ca);
    byKey = await keyDoor(server.address, door, KEY);
    installation = new Installation({ PLANWRIGHT_TEMPORAL_BIN: '/nonexistent' });
    await installation.ok(['init']);
  }, 120_000);

  afterAll(async () => {
    // Nothing of our own was started all the while.
    expect(existsSync(join(installation.home, 'state', 'supervisor.sock'))).toBe(false);
    expect(await installation.close()).toEqual([]);
    await byCertificate.close();
    await byKey.close();
    await server.teardown();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const mtls = (): NodeJS.ProcessEnv => ({
    TEMPORAL_ADDRESS: byCertificate.address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca,
    TEMPORAL_TLS_CLIENT_CERT_PATH: client.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
  });
  const withKey = (): NodeJS.ProcessEnv => ({
    TEMPORAL_ADDRESS: byKey.address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca,
    TEMPORAL_API_KEY: KEY,
  });
  const profile = (): NodeJS.ProcessEnv => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(
      file,
      `[profile.company]\naddress = "${byCertificate.address}"\nnamespace = "default"\n[profile.company.tls]\nserver_ca_cert_path = "${ca}"\n` +
        `client_cert_path = "${client.cert}"\nclient_key_path = "${client.key}"\n`,
    );
    return { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'company' };
  };

  it.each([
    ['client certificates in variables', mtls],
    ['client certificates in a profile', profile],
    ['an API key', withKey],
  ])(
    'takes commands and worker with %s',
    async (_name, env) => {
      const worker = installation.start(['worker'], { env: env() });
      await worker.says(/worker listens/);
      await installation.ok(['plan', 'a Makefile'], { env: env() });
      expect((await installation.ok(['plan', 'list'], { env: env() })).stdout).toContain('makefile');
      worker.child.kill('SIGTERM');
      expect((await worker.done).code).toBe(0);
    },
    120_000,
  );

  it.each<[string, () => NodeJS.ProcessEnv, RegExp]>([
    ['a port where nobody listens', () => ({ ...mtls(), TEMPORAL_ADDRESS: 'localhost:1' }), /nothing listens there/],
    ['no authority', () => ({ ...mtls(), TEMPORAL_TLS_SERVER_CA_CERT_PATH: '' }), /authority that is not trusted here/],
    [
      'another name',
      () => ({ ...mtls(), TEMPORAL_TLS_SERVER_NAME: 'temporal.example' }),
      /certificate is for another name/,
    ],
    [
      'no client certificate',
      () => ({ ...mtls(), TEMPORAL_TLS_CLIENT_CERT_PATH: '', TEMPORAL_TLS_CLIENT_KEY_PATH: '' }),
      /asks for a client certificate/,
    ],
    [
      "a stranger's certificate",
      () => ({ ...mtls(), TEMPORAL_TLS_CLIENT_CERT_PATH: stranger.cert, TEMPORAL_TLS_CLIENT_KEY_PATH: stranger.key }),
      /has our client certificate, and so most likely refuses it/,
    ],
    [
      'a certificate and the key of another',
      () => ({ ...mtls(), TEMPORAL_TLS_CLIENT_KEY_PATH: stranger.key }),
      /certificate or key cannot be used/,
    ],
    ['TLS where there is none', () => ({ ...mtls(), TEMPORAL_ADDRESS: server.address }), /does not speak TLS/],
    ['no TLS where there is some', () => ({ TEMPORAL_ADDRESS: byCertificate.address }), /does not answer without TLS/],
    ['another API key', () => ({ ...withKey(), TEMPORAL_API_KEY: 'wrong' }), /refuses the API key/],
    [
      'no API key',
      () => ({ ...withKey(), TEMPORAL_API_KEY: '', TEMPORAL_TLS: 'true' }),
      /asks for credentials, and none are configured/,
    ],
    ['another namespace', () => ({ ...mtls(), TEMPORAL_NAMESPACE: 'nowhere' }), /has no namespace "nowhere"/],
  ])(
    'with %s is told in words of its own, exit 4, by command and worker alike',
    async (_name, env, says) => {
      for (const args of [['plan', 'a Makefile'], ['worker']]) {
        const { code, stderr } = await installation.run(args, { env: env() });
        expect(stderr).toMatch(says);
        expect(stderr).not.toMatch(/has a bug|an-api-key|wrong\b/);
        expect([args[0], code]).toEqual([args[0], 4]);
      }
    },
    60_000,
  );
});
