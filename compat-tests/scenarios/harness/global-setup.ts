/** The two servers of the run: Postgres and a real Temporal. */
import type { TestProject } from 'vitest/node' with { 'resolution-mode': 'import' };
import { startPostgres } from '../../../shim/testing/embedded-postgres';
import { startTemporal } from './temporal-server';
import { homedir } from 'node:os';
import { join } from 'node:path';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres({ useEnvironment: false, settings: { fsync: 'off' } });
  const temporal = await startTemporal(process.env['TEMPORAL_CLI'] ?? join(homedir(), 'go/bin/temporal'));
  project.provide('postgresUrl', postgres.url);
  project.provide('temporalAddress', temporal.address);
  return async () => {
    await temporal.stop();
    await postgres.stop();
  };
}
