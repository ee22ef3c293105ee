/** One Postgres for a whole vitest run: what the environment names, else an embedded one. At the end, the histories are replayed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node' with { 'resolution-mode': 'import' };
import { startPostgres } from '../../shim/testing/embedded-postgres';
import { replayKept } from './replay-oracle';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // A crash of this machine may lose test data; a killed server does not.
  const postgres = await startPostgres({ settings: { fsync: 'off', max_connections: '300' } });
  project.provide('databaseUrl', postgres.url);
  const histories = mkdtempSync(join(tmpdir(), 'branchline-histories-'));
  project.provide('historiesDir', histories);
  return async () => {
    try {
      await replayKept(histories);
    } catch (error) {
      // An error of a teardown is printed, and no more.
      process.exitCode = 1;
      throw error;
    } finally {
      rmSync(histories, { recursive: true });
      await postgres.stop();
    }
  };
}
