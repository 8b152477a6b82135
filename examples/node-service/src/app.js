'use strict';

const { createServer } = require('node:http');

const MAX_BODY_BYTES = 10_000;

function reply(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** Reads a request's body as JSON; undefined where it is no JSON or too long. */
async function readJson(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) return undefined;
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** An HTTP server, not listening yet: GET /health, GET /notes, POST /notes with `{ "text": "…" }`. */
function createApp() {
  const notes = [];
  return createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    if (route === 'GET /health') return reply(response, 200, { status: 'ok' });
    if (route === 'GET /notes') return reply(response, 200, notes);
    if (route !== 'POST /notes') return reply(response, 404, { error: 'not found' });
    const body = await readJson(request);
    if (typeof body?.text !== 'string') return reply(response, 400, { error: 'text is missing' });
    const note = { id: notes.length + 1, text: body.text };
    notes.push(note);
    return reply(response, 201, note);
  });
}

module.exports = { createApp };
