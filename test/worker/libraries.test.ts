/** Other libraries' connections and transactions: in transactional activities they work on ours, as callers we work in theirs. docs/transactions.md says how. */
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import knex from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { asPool, transaction } from '../../shim/activity';
import { WorkflowNotFoundError, type Client } from '../../shim/client';
import { testClient } from '../support/connection';
import { afterTest, connect, freshSchema, sql } from '../support/database';
import { complete, scriptedWorker } from '../support/scripted-worker';
import { harness } from './harness';

type Tables = Record<string, { account: string; cents: number }>;
type Transaction = Parameters<Parameters<typeof transaction>[0]>[0];
type CallerConnection = Parameters<Client['withTransaction']>[0];

async function entriesTable() {
  const database = freshSchema();
  const name = `${database.schema}_entries`;
  await sql(`CREATE TABLE "${name}" (account text PRIMARY KEY, cents integer NOT NULL)`);
  afterTest(async () => void (await sql(`DROP TABLE "${name}"`)));
  return { database, name, entries: () => sql(`SELECT account, cents FROM "${name}"`) };
}
const columns = (name: string) => pgTable(name, { account: text().primaryKey(), cents: integer().notNull() });
const row = { account: 'a', cents: 1 };

/** Adds the row in the transaction of an activity. */
const inActivity: Record<string, (tx: Transaction, name: string) => Promise<unknown>> = {
  kysely: (tx, name) =>
    new Kysely<Tables>({ dialect: new PostgresDialect({ pool: asPool(tx) }) }).insertInto(name).values(row).execute(),
  drizzle: (tx, name) =>
    drizzle(tx as never)
      .insert(columns(name))
      .values(row),
  knex: async (tx, name) => void (await knex({ client: 'pg' })(name).insert(row).connection(tx)),
};

/** Adds the row in a transaction of the library's own, and does the rest with what a client of ours takes; what that throws rolls back. */
const asCaller: Record<string, (name: string, rest: (tx: CallerConnection) => Promise<void>) => Promise<void>> = {
  async kysely(name, rest) {
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new Pool({ connectionString: url() }) }) });
    afterTest(() => db.destroy());
    await db.transaction().execute(async (trx) => {
      await trx.insertInto(name).values(row).execute();
      await rest({ query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) });
    });
  },
  async drizzle(name, rest) {
    const client = await connect();
    afterTest(() => client.end());
    await drizzle(client).transaction(async (trx) => {
      await trx.insert(columns(name)).values(row);
      await rest(client);
    });
  },
  async knex(name, rest) {
    const db = knex({ client: 'pg', connection: url() });
    afterTest(() => db.destroy());
    await db.transaction(async (trx) => {
      await trx(name).insert(row);
      await rest((await trx.client.acquireConnection()) as CallerConnection);
    });
  },
};
const url = (): string => inject('databaseUrl');

describe.each(Object.keys(inActivity))('%s in a transactional activity', (library) => {
  it('writes rows that are there with the completion only', async () => {
    const { database, name, entries } = await entriesTable();
    let attempts = 0;
    const book = (): Promise<string> =>
      transaction(async (tx) => {
        await inActivity[library]!(tx, name);
        expect(await entries()).toEqual([]);
        if (++attempts === 1) throw new Error('once more');
        return 'booked';
      });
    const { run } = await harness({ activities: { book } }, database);
    await run(async (h) => expect(await h.execute('calling', [['book']])).toEqual(['booked']));
    expect([attempts, await entries()]).toEqual([2, [row]]);
  });
});

describe.each(Object.keys(asCaller))("a caller in a transaction of %s's", (library) => {
  it('starts and signals with its rows, or not at all', async () => {
    const { database, name, entries } = await entriesTable();
    const { client, connection, queue } = await testClient({}, database);
    scriptedWorker(connection, queue, (task) => {
      const signaled = task.history?.events?.some((event) => event.workflowExecutionSignaledEventAttributes);
      return { commands: signaled === true ? [complete('done')] : [] };
    });
    const place = (failing: boolean) =>
      asCaller[library]!(name, async (tx) => {
        const joined = client.withTransaction(tx);
        await joined.workflow.start('w', { taskQueue: queue, workflowId: 'w', memo: { of: library } });
        await joined.workflow.getHandle('w').signal('s', { some: [1, null, 'x'] });
        expect(await entries()).toEqual([]);
        if (failing) throw new Error('changed my mind');
      });
    await expect(place(true)).rejects.toThrow('changed my mind');
    expect(await entries()).toEqual([]);
    await expect(client.workflow.getHandle('w').describe()).rejects.toThrow(WorkflowNotFoundError);
    await place(false);
    expect(await entries()).toEqual([row]);
    expect(await client.workflow.getHandle('w').result()).toBe('done');
  });
});
