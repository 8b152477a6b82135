/** The doors behind `planwright codec` and `planwright codec-server`. */
import type { CodecKey } from '../../store/codec/keys';
import type { WorkspaceLayout } from '../../store/layout';
import type { ConnectOptions } from '../connect';

/** A key by its names; never the key. */
export interface NamedKey {
  id: string;
  /** 16 hex digits that differ for different keys. */
  fingerprint: string;
}

export interface CodecServerRequest {
  host: string;
  /** 0: any free one. */
  port: number;
  tokenFile: string | null;
  noAuth: boolean;
  origins: string[];
  /** Null: the one of the connection. */
  namespaces: string[] | null;
  layout: WorkspaceLayout;
  env: NodeJS.ProcessEnv;
  flags: ConnectOptions['flags'];
  ready(url: string, namespaces: readonly string[]): void;
}

export interface CodecRooms {
  /** Files of keys. All throw a UsageError that says what is wrong with a file, never what it holds. */
  codecKeys: {
    add(file: string, layout: WorkspaceLayout): Promise<NamedKey & { count: number }>;
    use(file: string, layout: WorkspaceLayout, id: string): Promise<NamedKey[]>;
    /** Before a worker is started. @throws UnreachableError (exit 4) where the workspace is encrypted with another key */
    check(env: NodeJS.ProcessEnv, layout: WorkspaceLayout): Promise<void>;
    /** The first seals; empty: nothing is encrypted. */
    inForce(env: NodeJS.ProcessEnv, layout: WorkspaceLayout): NamedKey[];
  };
  /** Serves until SIGINT or SIGTERM. @throws UsageError where it would serve without keys or without a token */
  codecServer(request: CodecServerRequest): Promise<void>;
}

const keys = (): typeof import('../../store/codec/keys') => require('../../store/codec/keys');
const edit = (): typeof import('../../store/codec/edit-keys') => require('../../store/codec/edit-keys');
const named = (key: CodecKey): NamedKey => ({ id: key.id, fingerprint: keys().fingerprint(key) });

export const codecRooms: CodecRooms = {
  codecKeys: {
    async add(file, { root }) {
      const { key, count } = await edit().addKey(file, root, new Date());
      return { ...named(key), count };
    },
    use: async (file, { root }, id) => (await edit().useKey(file, root, id)).map(named),
    check(env, layout) {
      const { checkWorkspaceKey } = require('../../store/codec/marker') as typeof import('../../store/codec/marker');
      return checkWorkspaceKey(layout, keys().keysFrom(env, layout.root), false);
    },
    inForce: (env, { root }) => (keys().keysFrom(env, root) ?? []).map(named),
  },
  async codecServer({ layout, env, flags, namespaces, ready, ...how }) {
    const { resolveConnection } = require('../../worker/connection') as typeof import('../../worker/connection');
    const { EMBEDDED_NAMESPACE } =
      require('../../worker/embedded/paths') as typeof import('../../worker/embedded/paths');
    // Beyond the arrow to worker/embedded, with a reason: this one command is the server.
    const { codecServer } = require('../../worker/codec-server') as typeof import('../../worker/codec-server');
    const { serverToken } = require('../../worker/codec-server') as typeof import('../../worker/codec-server');
    const where = await resolveConnection({ flags, env });
    const own = where.kind === 'configured' ? where.options.namespace : EMBEDDED_NAMESPACE;
    const served = namespaces ?? [own];
    const token = serverToken(env, layout.root, how);
    const server = await codecServer({ ...how, keys: keys().keysFrom(env, layout.root), token, namespaces: served });
    ready(server.url, served);
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    await server.close();
  },
};
