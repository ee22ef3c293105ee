/** The two servers of the run: Postgres and a real Temporal. */
import type { TestProject } from 'vitest/node' with { 'resolution-mode': 'import' };
import { startPostgres } from '../../../shim/testing/embedded-postgres';
import { temporalCliOrSkip } from '../../temporal-cli';
import { startTemporal } from './temporal-server';

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty when there is no CLI to start a server with. */
    temporalAddress: string;
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cli = temporalCliOrSkip('The comparison with a real server');
  project.provide('temporalAddress', '');
  if (cli === undefined) return async () => undefined;
  const postgres = await startPostgres({ useEnvironment: false, settings: { fsync: 'off' } });
  const temporal = await startTemporal(cli);
  project.provide('postgresUrl', postgres.url);
  project.provide('temporalAddress', temporal.address);
  return async () => {
    await temporal.stop();
    await postgres.stop();
  };
}
