import { processIo } from './io';
import { run } from './program';

// A reader that has seen enough (`planwright plan list | head -1`) is no error. Nothing can be shown any more, but a
// plan that was handed over goes on, so the command simply ends.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}

// Only the code is set: ending the process here would cut off output that a pipe has not taken yet.
run(process.argv.slice(2), processIo()).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = 1;
    throw error;
  },
);
