/**
 * A process of its own that keeps one Postgres for all test processes of this machine and user, while any of them is connected. A killed process
 * loses its connection as every other does, so nothing is left behind; should this process be killed, the server ends with it.
 */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { startPostgres } from './embedded-postgres';
import { type KeeperGreeting, keeperAddress } from './keeper-address';
import { throwawaySettings } from './throwaway-settings';

/** The server stays this long after its last user: test runners start one process after another, ms. */
const LINGER_MS = 3000;
/** Without a server, those who wait for one are told why for this long, ms. */
const FAILURE_MS = 1000;

async function keep(): Promise<void> {
  const address = keeperAddress();
  const users = new Set<Socket>();
  const waiting = new Set<Socket>();
  let greeting: KeeperGreeting | undefined;
  let linger: NodeJS.Timeout | undefined;
  let stop = (): Promise<void> => Promise.resolve();

  const endWhenUnused = (): void => {
    clearTimeout(linger);
    // Connections that were made while the server was being started are only seen after it.
    if (users.size > 0 || greeting === undefined) return;
    linger = setTimeout(() => {
      // From here on nobody can connect: who comes now starts a keeper of its own.
      server.close();
      void stop().finally(() => process.exit(0));
    }, LINGER_MS);
  };
  const greet = (socket: Socket): void => {
    socket.write(`${JSON.stringify(greeting)}\n`);
  };
  const server = createServer((socket) => {
    users.add(socket);
    clearTimeout(linger);
    socket.on('error', () => {});
    socket.on('close', () => {
      users.delete(socket);
      waiting.delete(socket);
      endWhenUnused();
    });
    socket.resume();
    if (greeting === undefined) waiting.add(socket);
    else greet(socket);
  });
  // Somebody else keeps it already.
  if (!(await listen(server, address))) return;
  try {
    const postgres = await startPostgres({ useEnvironment: false, settings: throwawaySettings });
    stop = () => postgres.stop();
    greeting = { url: postgres.url };
  } catch (error) {
    greeting = { error: (error as Error).message };
  }
  for (const socket of waiting) greet(socket);
  endWhenUnused();
  // Who has started this process may not have connected yet.
  if ('error' in greeting) setTimeout(() => process.exit(0), FAILURE_MS);
}

/** False when another keeper listens there. A socket file that a killed one left is replaced. */
async function listen(server: Server, address: string): Promise<boolean> {
  for (const again of [true, false]) {
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(address, () => resolve(undefined));
    });
    if (failure === undefined) return true;
    if (failure.code !== 'EADDRINUSE') throw failure;
    if (!again || (await answers(address))) return false;
    rmSync(address, { force: true });
  }
  return false;
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(address, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

void keep();
