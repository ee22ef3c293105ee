/** A TCP proxy before Postgres that loses answers on demand: what a network does at the worst moment. */
import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  url: string;
  /**
   * Requests whose bytes contain this text pass, their answers do not: the connection breaks in their place. Each call cuts once.
   * `bytes`: what is shorter is no answer (HTTP/2 has frames of its own, which come before a request is carried out).
   */
  cutAnswerTo(text: string, bytes?: number): Promise<void>;
  /** Breaks every connection now. */
  cutAll(): void;
  close(): Promise<void>;
}

export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const to = new URL(target);
  const sockets = new Set<Socket>();
  let armed: { text: string; bytes: number; done: () => void } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(to.port || 5432), to.hostname);
    let cut: { bytes: number; done: () => void } | undefined;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (armed !== undefined && chunk.includes(armed.text)) {
        cut = armed;
        armed = undefined;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (cut === undefined || chunk.length < cut.bytes) return void client.write(chunk);
      client.destroy();
      cut.done();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    cutAnswerTo: (text, bytes = 1) => new Promise((resolve) => (armed = { text, bytes, done: resolve })),
    cutAll: () => sockets.forEach((socket) => socket.destroy()),
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
