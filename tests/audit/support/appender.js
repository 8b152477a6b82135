// Appends batches to a log in a process of its own, and prints the size of each append that was acknowledged.
// Arguments: the compiled rooms, and a file with the job as JSON. With KILL_AT the process ends itself with SIGKILL just
// before its KILL_AT-th call that changes the disk, or, where that is a write, in the middle of it.
const fs = require('node:fs');
const fsp = require('node:fs/promises');
const { join } = require('node:path');

const [, , compiled, jobFile] = process.argv;
const killAt = Number(process.env.KILL_AT ?? 0);
let calls = 0;

const kill = () => process.kill(process.pid, 'SIGKILL');

function counted(owner, names) {
  for (const name of names) {
    const real = owner[name];
    owner[name] = function (...given) {
      calls += 1;
      if (calls === killAt) {
        if (name === 'write') fs.writeSync(this.fd, given[0], given[1], Math.ceil(given[2] / 2), given[3]);
        kill();
      }
      return real.apply(this, given);
    };
  }
}

async function main() {
  const handle = await fsp.open(__filename);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { appendEntries } = require(join(compiled, 'audit/append.js'));
  const { workspaceLayout } = require(join(compiled, 'store/layout.js'));
  const { root, id, entries, batches, options } = JSON.parse(fs.readFileSync(jobFile, 'utf8'));
  counted(fsp, ['link', 'rename', 'unlink', 'rm', 'mkdir', 'truncate']);
  counted(prototype, ['write', 'writeFile', 'appendFile', 'sync', 'datasync', 'truncate']);
  for (const [from, to] of batches) {
    const { size } = await appendEntries(workspaceLayout(root), id, entries.slice(from, to), options);
    fs.writeSync(1, `${size}\n`);
  }
  fs.writeSync(1, `calls ${calls}\n`);
}

main().catch((error) => {
  fs.writeSync(2, `${error.stack}\n`);
  process.exit(1);
});
