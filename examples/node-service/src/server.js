'use strict';

const { createApp } = require('./app');

const port = Number(process.env.PORT ?? 3000);
const server = createApp();

server.listen(port, () => console.log(`Listening on port ${port}`));

// Containers are stopped with SIGTERM: finish the requests in flight, then go.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    console.log(`${signal}: closing`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
