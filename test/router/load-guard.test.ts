/** The load guard on a real Postgres whose budgets are exceeded. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { type RoutedConnectionOptions, type RoutesInput, StoredRoutes } from '../../shim/router';
import { type TestSchema, afterTest, freshSchema, sql } from '../support/database';
import { describeWithTemporal } from '../support/temporal';
import { routed, type Routed } from './harness';

type GuardInput = NonNullable<RoutesInput['guard']>;
const TOO_MANY = 1;
const ENOUGH = 100_000;

const routesWith = (guard: Partial<GuardInput>): RoutesInput => ({
  guard: {
    mode: 'on',
    afterSeconds: 0,
    quietSeconds: 0,
    sampleSeconds: 0.2,
    budgets: { connections: ENOUGH },
    ...guard,
  },
  rules: [
    { name: 'batch', workflowType: 'batch', engine: 'postgres', movable: true },
    { name: 'signup', workflowType: 'signup', engine: 'postgres' },
  ],
});

describeWithTemporal('The load guard', (server) => {
  const process = (database: TestSchema, options: Partial<RoutedConnectionOptions> = {}) =>
    routed(server().address, options, database);
  const store = async (database: TestSchema): Promise<(guard: Partial<GuardInput>) => Promise<void>> => {
    const connection = await Connection.connect({ ...database });
    afterTest(() => connection.close());
    const stored = await StoredRoutes.open(connection);
    return async (guard) => void (await stored.change(() => routesWith(guard), { by: 'test', reason: 'load' }));
  };
  /** The engine on which a new one of that type starts. */
  const startsOn = async (
    { client, connection, queue: taskQueue }: Routed,
    type: string,
    workflowId: string = randomUUID(),
  ) => {
    const handle = await client.workflow.start(type, { workflowId, taskQueue });
    await handle.terminate();
    return connection.engineOf('default', workflowId);
  };
  const looking = (r: Routed, type: string) => async () => {
    await r.connection.refreshRoutes();
    await r.connection.checkLoad();
    return startsOn(r, type);
  };
  const warnings = ({ logged }: Routed): string[] =>
    logged.filter(({ level }) => level === 'WARN').map(({ message }) => message);
  const events = ({ schema }: TestSchema) =>
    sql<{ mode: string; diverting: boolean; reasons: string[] }>(
      `SELECT mode, diverting, reasons FROM ${schema}.load_events ORDER BY id`,
    );

  it('sends new starts of movable types to Temporal while a budget is exceeded, with the reason in log and table, and then no more', async () => {
    const database = freshSchema();
    const guard = await store(database);
    await guard({});
    const r = await process(database);
    const old = randomUUID();
    expect(await startsOn(r, 'batch', old)).toBe('postgres');
    expect(await events(database)).toEqual([]);

    await guard({ budgets: { connections: TOO_MANY } });
    await expect.poll(looking(r, 'batch'), { timeout: 30_000 }).toBe('temporal');
    const reason = expect.stringMatching(/^connections: \d+, budget 1$/) as string;
    expect(await events(database)).toEqual([{ mode: 'on', diverting: true, reasons: [reason] }]);
    expect(warnings(r)).toContainEqual(
      expect.stringMatching(
        /^New starts of movable types go from 'postgres' to 'temporal'\. connections: \d+, budget 1$/,
      ),
    );
    expect(warnings(r)).toContainEqual(
      expect.stringMatching(/^New starts of rule 'batch' go to 'temporal' instead of 'postgres'\. connections: /),
    );
    // Others stay, and so do ids that were there before: closed, and never known to the router.
    expect(await startsOn(r, 'signup')).toBe('postgres');
    expect(await startsOn(r, 'batch', old)).toBe('postgres');
    const unknown = randomUUID();
    const plain = await r.plain.postgres.workflow.start('batch', { workflowId: unknown, taskQueue: r.queue });
    await plain.terminate();
    expect(await startsOn(r, 'batch', unknown)).toBe('postgres');

    await guard({});
    await expect.poll(looking(r, 'batch'), { timeout: 30_000 }).toBe('postgres');
    expect(await events(database)).toMatchObject([{ diverting: true }, { diverting: false }]);
    expect(warnings(r).at(-1)).toBe("New starts of movable types go to 'postgres' again");
  });

  it('only says what it would do in a dry run, and nothing when it is off', async () => {
    const database = freshSchema();
    const guard = await store(database);
    await guard({ mode: 'off', budgets: { connections: TOO_MANY } });
    const r = await process(database);
    await r.connection.checkLoad();
    expect(await sql(`SELECT FROM ${database.schema}.load_guard`)).toEqual([]);

    const { mode: _on, ...rest } = routesWith({ budgets: { connections: TOO_MANY } }).guard!;
    await guard({ ...rest, mode: undefined });
    const seen = async () => {
      expect(await looking(r, 'batch')()).toBe('postgres');
      return events(database);
    };
    await expect.poll(seen, { timeout: 30_000 }).toMatchObject([{ mode: 'dry-run', diverting: true }]);
    expect(warnings(r)).toContainEqual(expect.stringContaining("would go (dry run) from 'postgres' to 'temporal'"));
    await guard({ mode: 'off', budgets: { connections: TOO_MANY } });
    expect(await looking(r, 'batch')()).toBe('postgres');
  });

  it('has one process that looks, whose verdict all heed, and another one when it goes', async () => {
    const database = freshSchema();
    const guard = await store(database);
    const asked = [0, 0, 0];
    await guard({ budgets: { latencyMs: 100 } });
    const processes: Routed[] = [];
    for (const i of asked.keys()) {
      processes.push(
        await routed(
          server().address,
          {
            // A store of its own: connections with the same URL share one.
            postgres: { ...database, url: `${database.url}&fallback_application_name=p${i}` },
            temporal: { address: server().address },
            latency: () => {
              asked[i]!++;
              return 250;
            },
          },
          database,
        ),
      );
    }
    for (const r of processes) await expect.poll(looking(r, 'batch'), { timeout: 30_000 }).toBe('temporal');
    expect(asked.filter((times) => times > 0)).toHaveLength(1);
    expect(await events(database)).toEqual([{ mode: 'on', diverting: true, reasons: ['latencyMs: 250, budget 100'] }]);
    const first = asked.findIndex((times) => times > 0);
    await processes[first]!.connection.close();
    await expect.poll(() => asked.filter((times) => times > 0).length, { timeout: 30_000 }).toBe(2);
    // The state of the one before is taken over: no turn is written down again.
    expect(await events(database)).toHaveLength(1);
  });

  it("goes on without the application's latency when nobody answers", async () => {
    const database = freshSchema();
    const guard = await store(database);
    await guard({ budgets: { connections: TOO_MANY, latencyMs: 100 } });
    const r = await process(database, { latency: () => new Promise(() => undefined) });
    await expect.poll(looking(r, 'batch'), { timeout: 30_000 }).toBe('temporal');
    expect(warnings(r)).toContain("The application's latency could not be asked");
  });

  it('is taken over when the process that looks has died', async () => {
    const database = freshSchema();
    const guard = await store(database);
    await guard({ budgets: { connections: TOO_MANY } });
    await sql(
      `INSERT INTO ${database.schema}.load_guard (sampler, lease_until) VALUES ($1, clock_timestamp() + interval '2 seconds')`,
      [randomUUID()],
    );
    const r = await process(database);
    expect(await startsOn(r, 'batch')).toBe('postgres');
    await expect.poll(looking(r, 'batch'), { timeout: 30_000 }).toBe('temporal');
  });

  it('measures commits, dead tuples, replication and its own commits', async () => {
    const database = freshSchema();
    const guard = await store(database);
    await guard({
      budgets: {
        commitsPerSecond: ENOUGH,
        deadTuples: ENOUGH,
        replicationLagSeconds: ENOUGH,
        latencyMs: ENOUGH,
        connections: ENOUGH,
      },
    });
    const r = await process(database);
    const load = async () => {
      // Writes, some of which leave dead rows behind.
      await startsOn(r, 'signup');
      await r.connection.checkLoad();
      const [row] = await sql<{ load: Record<string, number> }>(`SELECT load FROM ${database.schema}.load_guard`);
      return row?.load;
    };
    const some = expect.toSatisfy((value: number) => value > 0) as number;
    await expect.poll(load, { timeout: 60_000 }).toEqual({
      connections: some,
      commitsPerSecond: some,
      deadTuples: some,
      latencyMs: some,
      replicationLagSeconds: 0,
    });
    expect(warnings(r)).toEqual([]);
  });
});
