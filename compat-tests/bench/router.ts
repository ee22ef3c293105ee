/**
 * What the router adds to a call: `npm run bench:router`. Plain and routed clients take turns, one call at a time, on one Temporal server and one
 * Postgres. Prints medians; the target is at most 2 ms for a start and nothing for a handle whose owner is known.
 */
import { randomUUID } from 'node:crypto';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { Connection } from '../../shim/client';
import { RoutedConnection } from '../../shim/router';
import { startPostgres } from '../../shim/testing/embedded-postgres';
import { startTemporal } from '../scenarios/harness/temporal-server';
import { temporalCliOrSkip } from '../temporal-cli';

const ROUNDS = Number(process.env.ROUNDS ?? 300);
const taskQueue = 'nobody';

type Call = () => Promise<unknown>;

async function main(): Promise<void> {
  const cli = temporalCliOrSkip('The overhead of the router');
  if (cli === undefined) return;
  const database = await startPostgres({ useEnvironment: false });
  const server = await startTemporal(cli);
  try {
    const temporal = await TemporalConnection.connect({ address: server.address });
    const postgres = await Connection.connect({ url: database.url });
    const plain = { temporal: new Client({ connection: temporal }), postgres: new Client({ connection: postgres }) };
    const open: RoutedConnection[] = [];
    const routed = async (engine: string, startedElsewhere: boolean): Promise<Client> => {
      const connection = await RoutedConnection.connect({
        engines: { temporal: { temporal, startedElsewhere }, postgres: { postgres, startedElsewhere } },
        routes: { default: engine },
      });
      open.push(connection);
      return new Client({ connection });
    };
    for (const engine of ['postgres', 'temporal'] as const) {
      const asking = await routed(engine, true);
      const trusting = await routed(engine, false);
      const start =
        (client: Client): Call =>
        () =>
          client.workflow.start('any', { workflowId: randomUUID(), taskQueue });
      await compare(`start on ${engine}`, {
        plain: start(plain[engine]),
        routed: start(asking),
        'routed, started by the router only': start(trusting),
      });
      const { workflowId } = await asking.workflow.start('any', { workflowId: randomUUID(), taskQueue });
      const signal =
        (client: Client): Call =>
        () =>
          client.workflow.getHandle(workflowId).describe();
      await compare(`describe on ${engine}, owner known`, { plain: signal(plain[engine]), routed: signal(asking) });
    }
    for (const connection of open) await connection.close();
    await temporal.close();
    await postgres.close();
  } finally {
    await server.stop();
    await database.stop();
  }
}

/** Calls take turns, so that what else the machine does falls on all of them alike. */
async function compare(what: string, calls: Record<string, Call>): Promise<void> {
  const times = new Map(Object.keys(calls).map((name) => [name, [] as number[]]));
  for (let round = -20; round < ROUNDS; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const began = performance.now();
      await call();
      // The first ones warm up.
      if (round >= 0) times.get(name)!.push(performance.now() - began);
    }
  }
  const medians = [...times].map(([name, all]) => [name, all.sort((a, b) => a - b)[ROUNDS >> 1]!] as const);
  const base = medians[0]![1];
  for (const [name, median] of medians) {
    const more = name === 'plain' ? '' : ` (+${(median - base).toFixed(2)})`;
    process.stdout.write(`${what}: ${name} ${median.toFixed(2)} ms${more}\n`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
