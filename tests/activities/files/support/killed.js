// Runs one write (or, with CALL=undo, one undo) in a process of its own and kills it, with SIGKILL, just before its KILL_AT-th call that changes
// the disk (0: never). Arguments: the compiled rooms, and the job as JSON.
const fsp = require('node:fs/promises');
const { join } = require('node:path');

const [, , compiled, text] = process.argv;
const killAt = Number(process.env.KILL_AT);
let calls = 0;

function counted(owner, names) {
  for (const name of names) {
    const real = owner[name];
    owner[name] = function (...given) {
      calls += 1;
      if (calls === killAt) process.kill(process.pid, 'SIGKILL');
      return real.apply(this, given);
    };
  }
}

async function main() {
  const handle = await fsp.open(__filename);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { writeArtifactFiles } = require(join(compiled, 'activities/files/writer.js'));
  const { undoFiles } = require(join(compiled, 'activities/files/undo.js'));
  const { ObjectStore } = require(join(compiled, 'store/objects.js'));
  const { DEFAULT_ALLOWLIST } = require(join(compiled, 'plan/paths.js'));
  const job = JSON.parse(text);
  counted(fsp, ['link', 'rename', 'unlink', 'rm', 'mkdir', 'rmdir', 'truncate']);
  counted(prototype, ['writeFile', 'sync', 'chmod']);
  const objects = new ObjectStore(join(job.root, '.planwright', 'objects'));
  const result =
    process.env.CALL === 'undo'
      ? await undoFiles({ ...job, objects, journalKey: (write) => `p/${write}` })
      : await writeArtifactFiles({ ...job, objects, allowlist: DEFAULT_ALLOWLIST, allowAllPaths: false });
  process.stdout.write(JSON.stringify({ calls, result }));
}

void main();
