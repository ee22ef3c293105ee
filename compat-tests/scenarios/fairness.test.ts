/** Who is served next: Branchline beside a Temporal server of its own that has fairness on, which its development server has not. */
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { temporalCliOrSkip } from '../temporal-cli';
import { branchlineEngine } from './harness/branchline-engine';
import { NAMESPACE, type Engine } from './harness/engines';
import type { RawWorker } from './harness/raw-worker';
import { Context } from './harness/scenario';
import { temporalEngine } from './harness/temporal-engine';
import { startTemporal, type TemporalServer } from './harness/temporal-server';

type Priority = temporal.api.common.v1.IPriority;
const { TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW } = temporal.api.enums.v1.TaskQueueType;

const cli = temporalCliOrSkip('The comparison of fairness with a real server');
const engines: Engine[] = [];
let server: TemporalServer;

beforeAll(async () => {
  if (cli === undefined) return;
  server = await startTemporal(cli, {
    'matching.useNewMatcher': true,
    'matching.enableFairness': true,
    // Each partition is fair by itself only.
    'matching.numTaskqueueReadPartitions': 1,
    'matching.numTaskqueueWritePartitions': 1,
  });
  const workflowsPath = join(__dirname, 'workflows/index.ts');
  engines.push(await temporalEngine(server.address, workflowsPath));
  engines.push(await branchlineEngine(inject('postgresUrl'), workflowsPath));
}, 120_000);

afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await server?.stop();
}, 60_000);

/** Tasks in the order in which they come to be. */
type Backlog = { of: Priority; count: number }[];
const each = (backlog: Backlog): Priority[] =>
  backlog.flatMap(({ of, count }) => Array.from({ length: count }, () => of));

/** Until all of them wait on the queue. */
async function backlogged(c: Context, taskQueueType: number, count: number): Promise<void> {
  await c.until(async () => {
    const { stats } = await c.rpc.describeTaskQueue({
      namespace: NAMESPACE,
      taskQueue: { name: c.ownQueue() },
      taskQueueType,
      reportStats: true,
    });
    return Number(stats?.approximateBacklogCount ?? 0) >= count ? true : undefined;
  });
}

const context = (engine: Engine, name: string): Context =>
  new Context(engine, { name, covers: [], run: async () => undefined }, 1);

async function serve(raw: RawWorker, count: number): Promise<Priority[]> {
  const served: Priority[] = [];
  while (served.length < count) served.push((await raw.pollActivity()).priority ?? {});
  return served;
}

/** What a single poller gets first; `late` comes to be when it has had `first`, and it goes on with as many again. */
async function activitiesServed(
  engine: Engine,
  name: string,
  backlog: Backlog,
  first: number,
  late?: Backlog,
): Promise<Priority[]> {
  const c = context(engine, name);
  await c.startRaw();
  const raw = c.raw();
  const schedule = async (part: string, priorities: Priority[], waiting: number): Promise<void> => {
    await raw.step(priorities.map((priority, i) => raw.scheduleActivity(`${part}-${i}`, { priority })));
    await backlogged(c, TASK_QUEUE_TYPE_ACTIVITY, waiting);
  };
  const all = each(backlog);
  await schedule('first', all, all.length);
  let served = await serve(raw, first);
  const handle = c.client.workflow.getHandle(c.id());
  if (late !== undefined) {
    await handle.signal('more');
    await schedule('late', each(late), all.length - first + each(late).length);
    served = await serve(raw, first);
  }
  await handle.terminate();
  return served;
}

async function workflowsServed(engine: Engine, name: string, backlog: Backlog, first: number): Promise<Priority[]> {
  const c = context(engine, name);
  const all = each(backlog);
  for (const [i, priority] of all.entries()) await c.startRaw({ workflowId: c.id(String(i)), priority });
  await backlogged(c, TASK_QUEUE_TYPE_WORKFLOW, all.length);
  const raw = c.raw();
  const served: Priority[] = [];
  while (served.length < first) {
    const { workflowExecution } = await raw.poll();
    served.push(all[Number(workflowExecution?.workflowId?.split('.').at(-1))]!);
  }
  await Promise.all(all.map((_, i) => c.client.workflow.getHandle(c.id(String(i))).terminate()));
  return served;
}

function shares(served: Priority[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fairnessKey } of served) counts[fairnessKey ?? ''] = (counts[fairnessKey ?? ''] ?? 0) + 1;
  return counts;
}

/** A tenant with much, in front of one with less and of one that weighs twice. */
const tenants = (count: number): Backlog => [
  { of: { fairnessKey: 'much', fairnessWeight: 1 }, count: 3 * count },
  { of: { fairnessKey: 'less', fairnessWeight: 1 }, count },
  { of: { fairnessKey: 'double', fairnessWeight: 2 }, count },
];

describe.skipIf(cli === undefined)('on Temporal with fairness on and on Branchline alike:', () => {
  it.each([
    ['activities', activitiesServed, 40],
    ['workflow tasks', workflowsServed, 20],
  ] as const)(
    'each fairness key has its share of %s by weight, whoever waits in front',
    async (of, servedOf, count) => {
      // For as long as all three have something waiting.
      const first = 2 * count;
      for (const engine of engines) {
        const served = shares(await servedOf(engine, `fair shares of ${of}`, tenants(count), first));
        for (const [key, share] of [
          ['much', 1 / 4],
          ['less', 1 / 4],
          ['double', 1 / 2],
        ] as const) {
          expect(served[key], `${key} on ${engine.name}`).toBeGreaterThan(first * share * 0.8);
          expect(served[key], `${key} on ${engine.name}`).toBeLessThan(first * share * 1.2);
        }
      }
    },
    120_000,
  );

  it('a fairness key that comes late has its share from then on, and nothing for the time before', async () => {
    const backlog: Backlog = [{ of: { fairnessKey: 'much' }, count: 70 }];
    for (const engine of engines) {
      const served = await activitiesServed(engine, 'fair to who comes late', backlog, 30, [
        { of: { fairnessKey: 'late' }, count: 40 },
      ]);
      const { much, late } = shares(served);
      expect(Math.abs(much! - late!), engine.name).toBeLessThanOrEqual(6);
    }
  }, 120_000);

  it('a lower priority key goes before all others, and within it each fairness key has its share', async () => {
    const backlog: Backlog = [
      { of: { priorityKey: 5, fairnessKey: 'much' }, count: 20 },
      { of: { fairnessKey: 'much' }, count: 20 },
      { of: { fairnessKey: 'less' }, count: 10 },
      { of: { priorityKey: 1, fairnessKey: 'much' }, count: 20 },
      { of: { priorityKey: 1, fairnessKey: 'less' }, count: 10 },
    ];
    const all = each(backlog);
    const keys = all.map(({ priorityKey }) => priorityKey ?? 3).sort((a, b) => a - b);
    for (const engine of engines) {
      const served = await activitiesServed(engine, 'priorities before fairness', backlog, all.length);
      expect(
        served.map(({ priorityKey }) => priorityKey || 3),
        engine.name,
      ).toEqual(keys);
      for (const from of [0, 30]) {
        const { much, less } = shares(served.slice(from, from + 12));
        expect(Math.abs(much! - less!), engine.name).toBeLessThanOrEqual(4);
      }
    }
  }, 120_000);
});
