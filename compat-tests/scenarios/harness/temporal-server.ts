/** A real Temporal server of its own: the CLI's dev server on a free port, in memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Connection } from '@temporalio/client';
import { freePort } from '../../../shim/testing/free-port';

export interface TemporalServer {
  address: string;
  stop(): Promise<void>;
}

/** `settings`: of its dynamic configuration, such as `matching.enableFairness`. */
export async function startTemporal(
  cli: string,
  settings: Record<string, boolean | number> = {},
): Promise<TemporalServer> {
  const port = await freePort();
  const flags = ['--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'never'];
  for (const [key, value] of Object.entries(settings)) flags.push('--dynamic-config-value', `${key}=${value}`);
  const server = spawn(cli, ['server', 'start-dev', ...flags], { stdio: 'ignore' });
  const address = `127.0.0.1:${port}`;
  try {
    await untilUp(address, server);
  } catch (error) {
    server.kill('SIGKILL');
    throw error;
  }
  return {
    address,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await gone;
    },
  };
}

async function untilUp(address: string, server: ChildProcess): Promise<void> {
  for (const limit = Date.now() + 60_000; Date.now() < limit;) {
    if (server.exitCode !== null) throw new Error(`temporal server start-dev ended with ${server.exitCode}`);
    const connection = Connection.lazy({ address });
    try {
      await connection.withDeadline(Date.now() + 1000, () =>
        connection.workflowService.describeNamespace({ namespace: 'default' }),
      );
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await connection.close();
    }
  }
  throw new Error('The Temporal server did not come up within 60 s');
}
