/** The stage of all pages: Postgres, `branchline server`, the application's workers and workflows, Temporal's UI server. */
import type { TestProject } from 'vitest/node' with { 'resolution-mode': 'import' };
import { startPostgres } from '../../shim/testing/embedded-postgres';
import { type Database, type Running, startBranchlineServer, startUiServer, startWorkers } from './processes';
import { NAMESPACES, SEARCH_ATTRIBUTES, TASK_QUEUE, connectToScene, setTheScene } from './scene';
import { uiToolsOrSkip } from './tools';

export interface Stage {
  database: Database;
  /** Where the pages are. */
  url: string;
  /** The browser's executable. */
  chromium: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** null = a tool is missing: the tests are skipped. */
    stage: Stage | null;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const tools = uiToolsOrSkip();
  project.provide('stage', null);
  if (tools === undefined) return async () => undefined;
  const running: Running[] = [];
  const ours = <T extends Running>(process: T): T => {
    running.push(process);
    return process;
  };
  const strike = async (): Promise<void> => {
    for (const process of running.reverse()) await process.stop();
  };
  try {
    const postgres = ours(await startPostgres({ useEnvironment: false, settings: { fsync: 'off' } }));
    const database = { url: postgres.url, schema: 'branchline' };
    const namespaces = Object.values(NAMESPACES);
    const server = ours(await startBranchlineServer(database, namespaces, SEARCH_ATTRIBUTES));
    ours(await startWorkers(database, namespaces, TASK_QUEUE));
    const scene = await connectToScene(database, NAMESPACES.shown);
    await setTheScene(scene.client).finally(() => scene.close());
    const ui = ours(await startUiServer(tools.uiServer, server.address));
    project.provide('stage', { database, url: ui.url, chromium: tools.chromium });
  } catch (error) {
    await strike();
    throw error;
  }
  return strike;
}
