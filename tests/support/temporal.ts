/** One real Temporal server for a test file, and the workflow bundle built once for all of them. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundleOption } from '@temporalio/worker';
import { sha256 } from '../../plan/digest';
import { userFolders } from '../../store/layout';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

/** `npm test` names the binary; a bare `npx jest` finds the one in the cache. */
function temporalBinary(): string {
  const candidates = [
    process.env.PLANWRIGHT_TEMPORAL_BIN,
    join(userFolders({ ...process.env, PLANWRIGHT_HOME: '' }).cache, 'bin', 'temporal'),
  ];
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error('No temporal binary: run the tests with `npm test`, which finds or builds one.');
  return found;
}

/** @param settings dynamic configuration that one test file needs beside the usual */
export async function startServer(settings: readonly string[] = []): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporalBinary() },
      extraArgs: [
        '--dynamic-config-value',
        'history.transferProcessorMaxPollRPS=2000',
        '--dynamic-config-value',
        'history.timerProcessorMaxPollRPS=2000',
        '--dynamic-config-value',
        'history.timerProcessorMaxTimeShift="20ms"',
        '--dynamic-config-value',
        'system.enableActivityEagerExecution=true',
        ...settings.flatMap((one) => ['--dynamic-config-value', one]),
      ],
      searchAttributes: [
        defineSearchAttributeKey('PlanState', SearchAttributeType.KEYWORD),
        defineSearchAttributeKey('PlanRisk', SearchAttributeType.KEYWORD),
        defineSearchAttributeKey('PlanWorkspace', SearchAttributeType.KEYWORD),
        defineSearchAttributeKey('PlanWaitingSince', SearchAttributeType.DATETIME),
      ],
    },
  });
}

/** The workflow as it is in the sources, bundled; cached by the test run's id, so that parallel files share it. */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  const folder = join(tmpdir(), 'planwright-test-bundles');
  const path = join(folder, `${sha256(process.env.PLANWRIGHT_TEST_RUN ?? String(process.ppid))}.js`);
  if (!existsSync(path)) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(__dirname, '../../workflows/index.ts'),
      failureConverterPath: join(__dirname, '../../workflows/failure-converter.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    await mkdir(folder, { recursive: true });
    await writeFile(`${path}.${process.pid}`, code);
    await rename(`${path}.${process.pid}`, path);
  }
  return { code: await readFile(path, 'utf8') };
}
