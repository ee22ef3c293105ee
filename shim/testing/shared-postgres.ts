/** This process's use of the Postgres that all test processes share: see postgres-keeper.ts. */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { BranchlineError } from '../common/branchline-error';
import { type KeeperGreeting, keeperAddress } from './keeper-address';

const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

export interface SharedPostgres {
  /** postgres:// URL of a superuser. */
  readonly url: string;
  /** Ends this use. The server goes soon after the last one. */
  release(): void;
}

/**
 * Joins the shared server; starts it if there is none.
 * @throws BranchlineError BRANCHLINE_EMBEDDED_POSTGRES when it cannot be started
 */
export async function useSharedPostgres(): Promise<SharedPostgres> {
  const address = keeperAddress();
  const until = Date.now() + PATIENCE_MS;
  let started = false;
  for (;;) {
    const socket = await reach(address);
    const greeting = socket === undefined ? undefined : await greetingOf(socket);
    if (socket !== undefined && greeting !== undefined) {
      if ('error' in greeting) {
        socket.destroy();
        throw new BranchlineError('BRANCHLINE_EMBEDDED_POSTGRES', greeting.error);
      }
      // The connection says that we are here; it keeps no finished program alive.
      socket.unref();
      return { url: greeting.url, release: () => socket.destroy() };
    }
    if (Date.now() > until) {
      throw new BranchlineError('BRANCHLINE_EMBEDDED_POSTGRES', `The keeper of the test Postgres does not answer`);
    }
    // One that was about to end took our connection and closed it: then another is needed.
    if (!started || socket !== undefined) startKeeper();
    started = true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function startKeeper(): void {
  // From TypeScript sources (tests) the compiled one is run.
  const script = __filename.endsWith('.ts')
    ? path.resolve(__dirname, '../../lib/testing/postgres-keeper.js')
    : path.join(__dirname, 'postgres-keeper.js');
  const keeper = spawn(process.execPath, [script], { detached: true, stdio: 'ignore', env: environment() });
  keeper.on('error', () => {});
  keeper.unref();
}

/** A test runner's settings for Node (loaders, inspectors) are not for the keeper. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
}

function reach(address: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address, () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
}

/** Undefined when it closes the connection without a word. */
function greetingOf(socket: Socket): Promise<KeeperGreeting | undefined> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(JSON.parse(text) as KeeperGreeting);
    });
    socket.on('close', () => resolve(undefined));
  });
}
