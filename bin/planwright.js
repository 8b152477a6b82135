#!/usr/bin/env node

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const nodeModule = require('node:module');

const dist = join(__dirname, '..', 'dist');
const entry = join(dist, 'client', 'cli', 'main.js');

if (!existsSync(entry)) {
  process.stderr.write('Planwright is not built yet: dist/client/cli/main.js is missing.\n');
  process.stderr.write('Run `npm install && npm run build` in the folder that Planwright was cloned to.\n');
  process.exit(1);
}
// Node 22.1 and later; beside the code, because a cache in a shared temporary folder could be another user's.
nodeModule.enableCompileCache?.(join(dist, '.compile-cache'));
require(entry);
