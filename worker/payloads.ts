/** What a worker does with payloads and failures, by the keys in its environment. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { codecsOf } from '../store/codec/codecs';
import { type KeyRing, keysFrom } from '../store/codec/keys';
import { checkWorkspaceKey } from '../store/codec/marker';
import type { WorkspaceLayout } from '../store/layout';
import { ENCODE_FAILURES } from '../workflows/failure-converter';

const BUNDLE = join(__dirname, '..', 'workflow-bundle.js');

export interface WorkerPayloads {
  dataConverter: DataConverter;
  workflowBundle: WorkflowBundleOption;
}

/**
 * @param namespace what payloads are bound to
 * @param bundle the prebuilt one unless told
 * @throws UsageError for keys that cannot be used; UnreachableError where the workspace is encrypted with another key
 */
export async function workerPayloads(
  env: NodeJS.ProcessEnv,
  layout: WorkspaceLayout,
  namespace: string,
  bundle?: WorkflowBundleOption,
): Promise<WorkerPayloads> {
  const keys = keysFrom(env, layout.root);
  await checkWorkspaceKey(layout, keys, true);
  return { dataConverter: converterFor(keys, namespace), workflowBundle: bundleFor(keys, bundle) };
}

export const converterFor = (keys: KeyRing | null, namespace: string): DataConverter => ({
  payloadCodecs: codecsOf(keys, namespace),
  ...(keys ? { failureConverterPath: join(__dirname, 'failure-converter') } : {}),
});

/** The bundle, which is told whether failures are to be encoded. */
export function bundleFor(
  keys: KeyRing | null,
  bundle: WorkflowBundleOption = { codePath: BUNDLE },
): WorkflowBundleOption {
  if (!keys) return bundle;
  const code = 'code' in bundle ? bundle.code : readFileSync(bundle.codePath, 'utf8');
  return { code: `globalThis.${ENCODE_FAILURES} = true; ${code}` };
}
