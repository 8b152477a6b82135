import { delimiter } from 'node:path';
import { UsageError } from '../../../plan/errors';
import type { WorkspaceLayout } from '../../../store/layout';
import type { Release } from '../../../worker/connection';
import { defineCommand, nonEmpty } from '../command';
import type { Context } from '../context';
import { safe } from '../show/style';

/** Each takes a thread and memory of its own; what is more belongs into another process. */
const MOST_WORKSPACES = 5;
const DEPLOYMENT = 'planwright';
/** What the server accepts in a deployment's name and a build's id, and no dot in the former: it separates the two. */
const NAME = { deployment: /^[A-Za-z0-9_-]{1,100}$/, 'build-id': /^[A-Za-z0-9_.+-]{1,100}$/ };

export const command = defineCommand<Release | undefined>({
  about:
    "Runs workspaces' workers in the foreground until Ctrl-C or SIGTERM: writes under way are finished, calls of a model are " +
    'handed back. Its log is on stdout, one JSON object a line. Without -C: the workspaces that PLANWRIGHT_WORKSPACE names, ' +
    `separated by "${delimiter}", or this one. PLANWRIGHT_HEALTH=HOST:PORT opens /live, /ready and /metrics.`,
  options: [
    { flags: '--build-id <id>', about: 'run as this build of a deployment: plans stay with theirs (docs/deploys.md)' },
    { flags: '--deployment <name>', about: `the deployment of that build; ${DEPLOYMENT} unless given` },
  ],
  examples: [
    'planwright worker',
    'planwright worker -C /srv/api -C /srv/web --address temporal.example:7233 --namespace platform',
    'planwright worker --build-id 1.4.0',
  ],
  parse(raw) {
    const buildId = checked('build-id', nonEmpty(raw, 'buildId'));
    const deployment = checked('deployment', nonEmpty(raw, 'deployment'));
    if (buildId === undefined) {
      if (deployment === undefined) return undefined;
      throw new UsageError('--deployment names whose build this is, and there is no --build-id.', 'Add --build-id ID.');
    }
    return { deployment: deployment ?? DEPLOYMENT, buildId };
  },
  async run(context, release) {
    const { io, show, globals } = context;
    const { address, namespace, profile } = globals;
    const note = (line: string): void => show.note(safe(line));
    const layouts = workspaces(context);
    return io.rooms.worker({ layouts, env: io.env, flags: { address, namespace, profile }, release, note });
  },
});

function checked(option: 'build-id' | 'deployment', given: string | undefined): string | undefined {
  if (given === undefined || NAME[option].test(given)) return given;
  throw new UsageError(
    `--${option} is "${given}".`,
    'Use up to 100 letters, digits, - and _ (in a build id also . and +).',
  );
}

/** Those that -C names, or PLANWRIGHT_WORKSPACE, or the one of the current directory. @throws UsageError */
function workspaces({ io, globals, layout }: Context): WorkspaceLayout[] {
  const named = globals.dirs ?? (io.env.PLANWRIGHT_WORKSPACE ?? '').split(delimiter).filter((dir) => dir !== '');
  const found = named.length === 0 ? [layout()] : named.map((dir) => io.rooms.findWorkspace(dir, io.cwd));
  const layouts = [...new Map(found.map((one) => [one.id, one])).values()];
  if (layouts.length > MOST_WORKSPACES) {
    throw new UsageError(
      `One process serves at most ${MOST_WORKSPACES} workspaces; these are ${layouts.length}.`,
      'Start another worker for the rest.',
    );
  }
  return layouts;
}
