/** Golden histories as files: `tests/histories/<version>/<shape>[.<execution>].json`, gzipped where they are long. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { version } from '../../package.json';
import type { Driver } from '../workflows/fake-world';

type History = ReturnType<typeof historyFromJSON>;

const LONG_BYTES = 200_000;

export interface Golden {
  /** Version and file, for example `0.1.0/gates`. */
  name: string;
  history: History;
}

/** All golden histories of all versions. */
export function goldenHistories(): Golden[] {
  const versions = readdirSync(__dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return versions.flatMap(({ name: folder }) =>
    readdirSync(join(__dirname, folder))
      .sort()
      .map((file) => {
        const bytes = readFileSync(join(__dirname, folder, file));
        const json = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
        return { name: `${folder}/${basename(file).replace(/\.json(\.gz)?$/, '')}`, history: historyFromJSON(JSON.parse(json)) };
      }),
  );
}

/** Empties this version's folder, before it is recorded anew. */
export function forgetThisVersion(): void {
  rmSync(join(__dirname, version), { recursive: true, force: true });
  mkdirSync(join(__dirname, version), { recursive: true });
}

/** Writes the histories of a plan's executions, oldest first. */
export async function record(shape: string, plan: Driver): Promise<void> {
  const executions: History[] = [];
  for (let runId: string | null | undefined = await firstRun(plan); runId; ) {
    const history: History = await plan.client.workflow.getHandle(plan.id, runId).fetchHistory();
    executions.push(history);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  for (const [index, history] of executions.entries()) {
    const name = executions.length === 1 ? shape : `${shape}.${index + 1}`;
    const json = `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`;
    const file = join(__dirname, version, `${name}.json`);
    if (json.length < LONG_BYTES) writeFileSync(file, json);
    else writeFileSync(`${file}.gz`, gzipSync(json, { level: 9 }));
  }
}

async function firstRun(plan: Driver): Promise<string | null | undefined> {
  const { raw } = await plan.handle.describe();
  return raw.workflowExecutionInfo?.firstRunId ?? raw.workflowExecutionInfo?.execution?.runId;
}
