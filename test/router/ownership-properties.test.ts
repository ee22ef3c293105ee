/** Ownership of ids under random starts, routes, deaths of processes and lost messages: the router and a real Postgres between two engines in memory. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { Engines } from '../../shim/router/engines';
import { isGrpcError } from '../../shim/router/errors';
import { Lists } from '../../shim/router/lists';
import { Namespaces } from '../../shim/router/namespaces';
import { Owners } from '../../shim/router/owners';
import { Reconciler } from '../../shim/router/reconciler';
import { Router } from '../../shim/router/router';
import { parseRoutes } from '../../shim/router/routes/schema';
import type { StandInStore } from '../../shim/store/stand-in-types';
import type { ScheduleMoves } from '../../shim/router/schedule-moves/moves';
import { Starts } from '../../shim/router/starts';
import type { RoutingStore } from '../../shim/store/routing-types';
import { afterTest, freshSchema, sql } from '../support/database';
import { listLogger } from './harness';
import { type Fate, LATE_MS, MemoryEngine } from './memory-engine';

const ENGINES = ['temporal', 'postgres'];
const PROCESSES = 3;

interface StartCommand {
  process: number;
  id: number;
  engine: number;
  /** The load guard sends it to the other engine. */
  diverted: boolean;
  reuse: 'allow' | 'reject';
  conflict: 'fail' | 'use';
  fate: Fate;
}
interface Wave {
  starts: StartCommand[];
  /** Closed at the beginning, by whoever runs them. */
  closes: number[];
  /** Dies while the starts are under way, and another one takes its place. */
  dies: number | null;
  /** What earlier waves left open is settled before. */
  settles: boolean;
}

const start: fc.Arbitrary<StartCommand> = fc.record({
  process: fc.nat(PROCESSES - 1),
  id: fc.nat(1),
  engine: fc.nat(ENGINES.length - 1),
  diverted: fc.constantFrom(false, false, true),
  reuse: fc.constantFrom('allow', 'allow', 'reject'),
  conflict: fc.constantFrom('fail', 'use'),
  // After a lost message a process leaves that engine alone for a second: with many of them little would be started.
  fate: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Fate>('arrives') },
    { weight: 3, arbitrary: fc.constant<Fate>('arrives late') },
    { weight: 1, arbitrary: fc.constantFrom<Fate>('is lost', 'loses its answer') },
  ),
});
const wave: fc.Arbitrary<Wave> = fc.record({
  starts: fc.array(start, { minLength: 1, maxLength: 6 }),
  closes: fc.uniqueArray(fc.nat(1)),
  dies: fc.option(fc.nat(PROCESSES - 1), { freq: 3 }),
  settles: fc.boolean(),
});

/** Until late starts, of the dead too, have come. */
const onTheWay = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2 * LATE_MS));

/** A process with a router. When it is dead nothing more leaves it, and what it waits for never comes. */
class Process {
  readonly died: Promise<void>;
  dead = false;
  /** The start that is called just now. */
  private diverted = false;
  die!: () => void;
  readonly reconciler: Reconciler;
  readonly fates = new Map<string, Fate>();
  private readonly routers: Router[];

  constructor(memory: MemoryEngine[], store: RoutingStore) {
    this.died = new Promise((resolve) => {
      this.die = () => {
        this.dead = true;
        resolve();
      };
    });
    const engines = new Engines(
      memory.map((engine, i) => ({
        name: engine.name,
        kind: i === 0 ? 'temporal' : 'postgres',
        connection: engine.connection((requestId) => this.fates.get(requestId) ?? 'arrives'),
        startedElsewhere: true,
      })),
    );
    const mortal = this.mortal(store);
    const owners = new Owners(engines, mortal);
    const logger = listLogger([]);
    const starts = new Starts({
      engines,
      store: mortal,
      owners,
      logger,
      processId: randomUUID(),
      graceMs: 60_000,
    });
    this.reconciler = new Reconciler({ store: mortal, owners, starts, logger, graceMs: 0 });
    this.routers = ENGINES.map((engine) => {
      const current = parseRoutes({ default: engine });
      return new Router({
        engines,
        routes: { current, version: 0, refresh: () => Promise.resolve(), close: () => undefined },
        tenant: undefined,
        owners,
        starts,
        lists: new Lists(engines, { hidden: async () => new Set() }),
        scheduleMoves: {} as ScheduleMoves,
        standIns: {} as StandInStore,
        parity: { refusalOf: () => undefined },
        load: { diversion: () => (this.diverted ? ENGINES.find((name) => name !== engine) : undefined) },
        namespaces: new Namespaces(engines, () => current, logger),
        home: 'postgres',
        now: () => 0,
      });
    });
  }

  /** The run id; null = refused, or nobody knows. */
  async start(id: string, { engine, diverted, reuse, conflict, fate }: StartCommand): Promise<string | null> {
    const requestId = randomUUID();
    this.fates.set(requestId, fate);
    const request = {
      namespace: 'default',
      workflowId: id,
      requestId,
      workflowType: { name: 'any' },
      taskQueue: { name: 'nobody' },
      workflowIdReusePolicy: reuse === 'allow' ? 1 : 3,
      workflowIdConflictPolicy: conflict === 'fail' ? 1 : 2,
    };
    this.diverted = diverted;
    const answer = this.routers[engine]!.call('startWorkflowExecution', request).then(
      (answer) => (answer as { runId: string }).runId,
      (error: unknown) => {
        if (isGrpcError(error)) return null;
        throw error;
      },
    );
    this.diverted = false;
    return Promise.race([answer, this.died.then(() => null)]);
  }

  private mortal(store: RoutingStore): RoutingStore {
    return new Proxy(store, {
      get: (target, name: keyof RoutingStore) => {
        const call = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          const never = new Promise(() => undefined);
          if (this.dead) return never;
          const answer = await call(...args);
          return this.dead ? never : answer;
        };
      },
    });
  }
}

it('never gives an id two open runs, keeps every start that was answered, and frees every id in the end', async () => {
  const database = freshSchema();
  const postgres = await Connection.connect({ ...database });
  afterTest(() => postgres.close());
  const store = (await postgres.service()).parts.store.routing;
  let started = 0;
  let moved = 0;

  const scenario = fc.asyncProperty(fc.array(wave, { minLength: 4, maxLength: 12 }), async (waves) => {
    const ids = [randomUUID(), randomUUID()];
    const wrong: string[] = [];
    const memory: MemoryEngine[] = ENGINES.map(
      (name) =>
        new MemoryEngine(name, (id) => {
          const open = memory.reduce((sum, engine) => sum + engine.openRuns(id), 0);
          if (open > 1) wrong.push(`${id} has ${open} open runs`);
        }),
    );
    const runsOf = (id: string) => memory.flatMap((engine) => engine.runs.filter((run) => run.id === id));
    const processes = Array.from({ length: PROCESSES }, () => new Process(memory, store));
    for (const { starts, closes, dies, settles } of waves) {
      if (settles) {
        await onTheWay();
        await new Process(memory, store).reconciler.look();
      }
      for (const id of closes) for (const engine of memory) engine.close(ids[id]!);
      const outcomes = starts.map(async (command) => {
        const id = ids[command.id]!;
        const before = runsOf(id).map(({ runId }) => runId);
        const runId = await processes[command.process]!.start(id, command);
        if (runId === null) return;
        started++;
        if (!runsOf(id).some((run) => run.runId === runId)) wrong.push(`the start of ${runId} is lost`);
        if (command.reuse === 'reject' && before.length > 0 && !before.includes(runId)) {
          const using = command.conflict === 'use' && runsOf(id).length > 1;
          if (!using) wrong.push(`${id} was used before, and started again`);
        }
      });
      if (dies !== null) {
        const dying = processes[dies]!;
        setTimeout(dying.die, 3);
        processes[dies] = new Process(memory, store);
        await dying.died;
      }
      await Promise.all(outcomes);
      expect(wrong).toEqual([]);
    }

    // Once nothing is on its way any more, whoever lives settles what is left.
    const left = (): Promise<unknown[]> =>
      sql(`SELECT id FROM ${database.schema}.routed_ids WHERE starting <> '{}' AND id = ANY ($1)`, [ids]);
    const settle = async (): Promise<unknown[]> => {
      await onTheWay();
      for (const { reconciler } of processes) await reconciler.look();
      return left();
    };
    await expect.poll(settle, { timeout: 20_000 }).toEqual([]);
    for (const id of ids) {
      const engines = memory.filter((engine) => engine.runs.some((run) => run.id === id));
      if (engines.length > 1) moved++;
      for (const engine of memory) engine.close(id);
      const fresh = new Process(memory, store);
      const plain = {
        process: 0,
        id: 0,
        engine: 0,
        diverted: false,
        reuse: 'allow',
        conflict: 'fail',
        fate: 'arrives',
      } as const;
      expect(await fresh.start(id, plain)).not.toBeNull();
    }
    expect(wrong).toEqual([]);
  });
  await fc.assert(scenario, { numRuns: 25, endOnFailure: true });
  // It is about something only if ids were started, and some came to both engines.
  expect(started).toBeGreaterThan(25);
  expect(moved).toBeGreaterThan(5);
}, 180_000);
