/**
 * Records the histories in this directory with a real dev server and the official worker:
 * `npx tsx compat-tests/histories/record.ts [scenario …]`. Needs Temporal's CLI.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { HOW_TO_INSTALL, findTemporalCli } from '../temporal-cli';
import { activities } from './activities';
import * as workflows from './workflows';

const PORT = 17233;
const taskQueue = 'histories';

interface Bench {
  client: Client;
  /** A worker with other code in place of the usual one while `run` goes on. */
  withBrokenCode(run: () => Promise<void>): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const id = (name: string): string => `recorded-${name}`;

type Scenario = (bench: Bench, name: string) => Promise<WorkflowHandle | WorkflowHandle[]>;

function simple(workflowType: string, args: unknown[] = [], options: object = {}): Scenario {
  return async ({ client }, name) => {
    const handle = await client.workflow.start(workflowType, { taskQueue, workflowId: id(name), args, ...options });
    await handle.result().catch(() => undefined);
    return handle;
  };
}

const scenarios: Record<string, Scenario> = {
  'activities-and-retries': simple('activitiesAndRetries'),
  'activity-cancellations': simple('activityCancellations'),
  timers: simple('timers'),
  children: simple('children'),
  'child-cancellations': simple('childCancellations'),
  patches: simple('patches'),
  'patch-life-1': simple('patchLife1'),
  'patch-life-2': simple('patchLife2'),
  'patch-life-3': simple('patchLife3'),
  'local-activities': simple('localActivities'),
  'local-activity-heartbeat': simple('localActivityHeartbeat', [], { workflowTaskTimeout: '1s' }),
  'local-activity-backoff': simple('localActivityBackoff'),
  'local-activity-cancellations': simple('localActivityCancellations'),
  randomness: simple('randomness'),
  'handlers-at-end': simple('handlersAtEnd'),
  failing: simple('failing'),
  'signals-and-queries': async ({ client }, name) => {
    const handle = await client.workflow.signalWithStart('signalsAndQueries', {
      taskQueue,
      workflowId: id(name),
      args: [9],
      signal: workflows.poke,
      signalArgs: ['with start'],
    });
    await Promise.all(['a', 'b', 'act c'].map((value) => handle.signal(workflows.poke, value)));
    await handle.query(workflows.state);
    await pause(300);
    for (const value of ['d', 'act e', 'f']) await handle.signal(workflows.poke, value);
    await handle.result();
    return handle;
  },
  externals: async ({ client }, name) => {
    const target = await client.workflow.start('cancellable', { taskQueue, workflowId: id(`${name}-target`) });
    const handle = await client.workflow.start('externals', {
      taskQueue,
      workflowId: id(name),
      args: [target.workflowId],
    });
    await handle.result();
    await target.result().catch(() => undefined);
    return [handle, target];
  },
  cancelled: async ({ client }, name) => {
    const handle = await client.workflow.start('cancellable', { taskQueue, workflowId: id(name) });
    await pause(200);
    await handle.cancel();
    await handle.result();
    return handle;
  },
  terminated: async ({ client }, name) => {
    const handle = await client.workflow.start('cancellable', { taskQueue, workflowId: id(name) });
    await pause(200);
    await handle.terminate('enough');
    return handle;
  },
  'timed-out': simple('cancellable', [], { workflowRunTimeout: '500ms' }),
  updates: async ({ client }, name) => {
    const handle = await client.workflow.start('updates', { taskQueue, workflowId: id(name), args: [31] });
    await handle.executeUpdate(workflows.add, { args: [1] });
    await handle.executeUpdate(workflows.add, { args: [-1] }).catch(() => undefined);
    await handle.executeUpdate(workflows.slowAdd, { args: [2, 'activity'] });
    await handle.executeUpdate(workflows.slowAdd, { args: [4, 'local'] });
    await handle.executeUpdate(workflows.slowAdd, { args: [4, 'nonsense'] }).catch(() => undefined);
    await Promise.all([
      handle.executeUpdate(workflows.slowAdd, { args: [8, 'timer'] }),
      handle.executeUpdate(workflows.slowAdd, { args: [8, 'activity'] }),
      handle.executeUpdate(workflows.add, { args: [8] }),
    ]);
    await handle.result();
    return handle;
  },
  continuing: async ({ client }, name) => {
    const handle = await client.workflow.start('continuing', {
      taskQueue,
      workflowId: id(name),
      args: [1],
      memo: { kept: 'yes' },
      searchAttributes: { CustomTag: ['start'] },
    });
    await handle.result();
    return [client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId), handle];
  },
  'task-failures': async ({ client, withBrokenCode }, name) => {
    const handle = await client.workflow.start('taskFailures', { taskQueue, workflowId: id(name) });
    await withBrokenCode(() => pause(1500));
    await handle.result();
    return handle;
  },
  reset: async ({ client }, name) => {
    const handle = await client.workflow.start('updates', { taskQueue, workflowId: id(name), args: [3] });
    await handle.executeUpdate(workflows.add, { args: [1] });
    await handle.executeUpdate(workflows.add, { args: [2] });
    await handle.result();
    return await resetTo(client, handle, 4);
  },
  'reset-randomness': async ({ client }, name) => {
    const handle = await client.workflow.start('randomness', { taskQueue, workflowId: id(name) });
    await handle.result();
    // The second workflow task: the first half of the workflow keeps its random numbers.
    return await resetTo(client, handle, 8);
  },
  'storm-1': storm,
  'storm-2': storm,
  'storm-3': storm,
  // A history that is not finished yet.
  open: async ({ client }, name) => {
    const handle = await client.workflow.start('signalsAndQueries', { taskQueue, workflowId: id(name), args: [5] });
    await handle.signal(workflows.poke, 'act one');
    await pause(500);
    return handle;
  },
};

/** Signals and updates all at once. */
async function storm({ client }: Bench, name: string): Promise<WorkflowHandle> {
  const kinds = ['local', 'slow', 'activity', 'timer', 'race', 'child', 'patch', 'cancel'];
  const count = 24;
  const rejected = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 === 1 && i % 5 === 4).length;
  const handle = await client.workflow.start('storm', { taskQueue, workflowId: id(name), args: [count - rejected] });
  const sent = Array.from({ length: count }, async (_, i) => {
    await pause(Math.random() * 400);
    const value = `${kinds[(i * 5) % kinds.length]}-${i}`;
    if (i % 3 === 1) await handle.executeUpdate(workflows.slowAdd, { args: [i, value] }).catch(() => undefined);
    else await handle.signal(workflows.poke, value);
  });
  await Promise.all(sent);
  await handle.result();
  return handle;
}

async function resetTo(client: Client, handle: WorkflowHandle, eventId: number): Promise<WorkflowHandle> {
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
    reason: 'recording',
    workflowTaskFinishEventId: eventId as never,
    requestId: 'reset',
  });
  const again = client.workflow.getHandle(handle.workflowId, runId);
  await again.result();
  return again;
}

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const cli = findTemporalCli();
  if (cli === undefined) throw new Error(`Temporal's CLI is not here: ${HOW_TO_INSTALL}`);
  const flags = ['--headless', '--ip', '127.0.0.1', '--port', String(PORT), '--search-attribute', 'CustomTag=Keyword'];
  const server = spawn(cli, ['server', 'start-dev', ...flags, '--log-level', 'error'], { stdio: 'inherit' });
  try {
    await record(process.argv.slice(2));
  } finally {
    server.kill('SIGINT');
  }
}

async function untilUp(connection: Connection): Promise<void> {
  for (let i = 0; i < 60; i++) {
    try {
      return await connection.ensureConnected();
    } catch {
      await pause(500);
    }
  }
  throw new Error('The server did not come up');
}

async function record(only: string[]): Promise<void> {
  const address = `127.0.0.1:${PORT}`;
  const connection = Connection.lazy({ address });
  await untilUp(connection);
  const nativeConnection = await NativeConnection.connect({ address });
  const client = new Client({ connection });
  const start = async (workflowsPath: string): Promise<() => Promise<void>> => {
    const worker = await Worker.create({
      connection: nativeConnection,
      taskQueue,
      workflowsPath,
      activities,
      shutdownGraceTime: '1s',
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  };
  let stop = await start(require.resolve('./workflows'));
  const bench: Bench = {
    client,
    async withBrokenCode(run) {
      await stop();
      const stopBroken = await start(require.resolve('./broken-workflows'));
      await run();
      await stopBroken();
      stop = await start(require.resolve('./workflows'));
    },
  };
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (only.length > 0 && !only.includes(name)) continue;
    console.log(name);
    const handles = [await scenario(bench, name)].flat();
    for (const [i, handle] of handles.entries()) {
      const history = await handle.fetchHistory();
      const file = handles.length === 1 ? name : `${name}-${i + 1}`;
      const json = { workflowId: handle.workflowId, ...(JSON.parse(historyToJSON(history)) as object) };
      writeFileSync(join(__dirname, `${file}.json`), `${JSON.stringify(json)}\n`);
    }
  }
  await stop();
  await connection.close();
  await nativeConnection.close();
}

void main();
