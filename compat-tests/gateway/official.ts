/** What every process of these tests needs of the official worker. */
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';

export const workflowsPath = join(__dirname, 'workflows.ts');

const silent = new DefaultLogger('ERROR', () => undefined);

/** Once per process: the native runtime without its log. */
export function quiet(): DefaultLogger {
  if (Runtime._instance === undefined) {
    const telemetryOptions = { logging: { forward: {}, filter: 'OFF' } } as const;
    Runtime.install({ logger: silent, shutdownSignals: [], telemetryOptions });
  }
  return silent;
}
