/** A receiver of notifications: a real HTTP server that remembers what came and answers as it is told. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export class SinkServer {
  readonly received: Received[] = [];
  /** How the next requests are answered; 204 unless told. */
  answer: (response: ServerResponse, request: Received) => void = (response) => {
    response.writeHead(204).end();
  };
  private constructor(private readonly server: Server) {}

  static async start(): Promise<SinkServer> {
    const server = createServer();
    const sink = new SinkServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const one = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
        sink.received.push(one);
        sink.answer(response, one);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
