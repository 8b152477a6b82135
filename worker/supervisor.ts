/**
 * The process that owns the embedded server: `node dist/worker/supervisor.js --state DIR`, started in the background
 * by the first command that needs it. It imports nothing heavy: it stays for weeks.
 */
import { PlanwrightError } from '../plan/errors';
import { superviseAt } from './embedded/supervise';

const stateDir = process.argv[process.argv.indexOf('--state') + 1];
if (!process.argv.includes('--state') || !stateDir) {
  process.stderr.write('usage: supervisor.js --state DIR\n');
  process.exit(2);
}

superviseAt({ stateDir, log: (line) => process.stdout.write(`${new Date().toISOString()} ${line}\n`) }).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof PlanwrightError ? error.exitCode : 1);
  },
);
