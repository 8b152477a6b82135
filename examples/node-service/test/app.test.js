'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { createApp } = require('../src/app');

const server = createApp();
let base;

before(async () => {
  await new Promise((resolve) => server.listen(0, resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => new Promise((resolve) => server.close(resolve)));

const post = (body) => fetch(`${base}/notes`, { method: 'POST', body });

test('it says that it is healthy', async () => {
  const response = await fetch(`${base}/health`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'ok' });
});

test('a note that was posted is listed', async () => {
  assert.equal((await post('{"text":"water the plants"}')).status, 201);
  assert.deepEqual(await (await fetch(`${base}/notes`)).json(), [{ id: 1, text: 'water the plants' }]);
});

test('a note without text, or no JSON at all, is refused', async () => {
  assert.equal((await post('{}')).status, 400);
  assert.equal((await post('not json')).status, 400);
});

test('an unknown path is not found', async () => {
  assert.equal((await fetch(`${base}/nowhere`)).status, 404);
});
