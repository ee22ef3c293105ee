/** Transactional activities: rows of the application and the completion of the activity are one commit. */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { Pool } from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { asPool, configureTransactions, transaction, transactional } from '../../shim/activity';
import { MockActivityEnvironment } from '../../shim/testing';
import { cuttingProxy } from '../support/cutting-proxy';
import { afterTest, freshSchema, sql } from '../support/database';
import { harness } from './harness';

interface Entry {
  account: string;
  amount: number;
}

/** A ledger beside the workflows' tables. */
async function ledger() {
  const database = freshSchema();
  const name = `"${database.schema}_ledger"`;
  await sql(
    `CREATE TABLE ${name} (account text NOT NULL, amount integer NOT NULL, UNIQUE (account, amount) DEFERRABLE INITIALLY DEFERRED)`,
  );
  afterTest(async () => void (await sql(`DROP TABLE ${name}`)));
  return {
    database,
    insert: `INSERT INTO ${name} VALUES ($1, $2)`,
    add: `UPDATE ${name} SET amount = amount + $2 WHERE account = $1`,
    entries: () => sql<Entry>(`SELECT account, amount FROM ${name} ORDER BY 1, 2`),
    /** The transactions that wrote the rows. */
    writers: async () =>
      (await sql<{ xmin: string }>(`SELECT xmin::text FROM ${name} ORDER BY account`)).map(({ xmin }) => xmin),
  };
}

/** Resolved from outside. */
function gate(): { opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const causeOf = async (result: Promise<unknown>): Promise<unknown> => {
  const error = await result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  return cause instanceof ActivityFailure ? cause.cause : cause;
};

describe('a transactional activity', () => {
  it('commits its rows and its completion in one transaction', async () => {
    const { database, insert, writers } = await ledger();
    const book = transactional(async (tx, account: string) => {
      await tx.query(insert, [account, 1]);
      return `booked ${account}`;
    });
    const { run } = await harness({ activities: { book } }, database);
    await run(async (h) => {
      expect(await h.execute('calling', [['book', 'a']])).toEqual(['booked a']);
      const completed = await sql<{ xmin: string }>(
        `SELECT xmin::text FROM "${database.schema}".history WHERE events::text LIKE '%EVENT_TYPE_ACTIVITY_TASK_COMPLETED%'`,
      );
      expect(completed.map(({ xmin }) => xmin)).toEqual(await writers());
    });
  });

  it('completes many of one run, each in a transaction of its own, on few connections', async () => {
    const { database, insert, entries, writers } = await ledger();
    const book = transactional(async (tx, account: string) => void (await tx.query(insert, [account, 1])));
    const { run } = await harness({ activities: { book } }, database);
    await run(async (h) => {
      await h.execute(
        'calling',
        Array.from({ length: 30 }, (_, i) => ['book', `a${i}`]),
      );
      expect(await entries()).toHaveLength(30);
      expect(new Set(await writers()).size).toBe(30);
    });
  });

  it('rolls back what it wrote when it throws, and is tried again', async () => {
    const { database, insert, entries } = await ledger();
    const book = transactional(async (tx) => {
      const { attempt } = Context.current().info;
      await tx.query(insert, ['a', attempt]);
      if (attempt < 3) throw new Error('not yet');
    });
    const { run } = await harness({ activities: { book } }, database);
    await run((h) => h.execute('calling', [['book']]));
    expect(await entries()).toEqual([{ account: 'a', amount: 3 }]);
  });

  it('fails with the error of its COMMIT, and a signal that came meanwhile is kept', async () => {
    const { database, insert, entries } = await ledger();
    const [inside, go] = [gate(), gate()];
    const book = transactional(async (tx) => {
      await tx.query(insert, ['a', 1]);
      await tx.query(insert, ['a', 1]);
      inside.open();
      await go.opened;
    });
    const { run } = await harness({ activities: { book } }, database);
    await run(async ({ client, taskQueue }) => {
      const options = { retry: { maximumAttempts: 1 } };
      const handle = await client.workflow.start('calling', {
        taskQueue,
        workflowId: randomUUID(),
        args: [[['book']], options],
      });
      await inside.opened;
      const signalled = handle.signal('noticed');
      go.open();
      await signalled;
      expect(await causeOf(handle.result())).toMatchObject({ message: expect.stringMatching(/duplicate key/) });
      const { events } = await handle.fetchHistory();
      expect(events!.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(1);
      expect(events!.filter((event) => event.activityTaskCompletedEventAttributes)).toHaveLength(0);
    });
    expect(await entries()).toEqual([]);
  });

  it('repeats after a serialisation failure, by its retry policy', async () => {
    const { database, insert, entries, add } = await ledger();
    await sql(insert, ['a', 1]);
    const attempts: number[] = [];
    const raise = transactional(
      async (tx) => {
        const { attempt } = Context.current().info;
        attempts.push(attempt);
        await tx.query('SELECT 1');
        // Somebody else changes what this transaction is about to change.
        if (attempt === 1) await sql(add, ['a', 10]);
        await tx.query(add, ['a', 100]);
      },
      { isolation: 'repeatable read', statementTimeoutMs: 5000 },
    );
    const { run } = await harness({ activities: { raise } }, database);
    await run((h) => h.execute('calling', [['raise']]));
    expect(attempts).toEqual([1, 2]);
    expect(await entries()).toEqual([{ account: 'a', amount: 111 }]);
  });

  it('commits nothing once it was cancelled', async () => {
    const { database, insert, entries } = await ledger();
    const [inside, go] = [gate(), gate()];
    const book = transactional(async (tx) => {
      await tx.query(insert, ['a', 1]);
      inside.open();
      await go.opened;
    });
    const { run } = await harness({ activities: { book } }, database);
    await run(async ({ client, taskQueue }) => {
      const options = { cancellationType: 'WAIT_CANCELLATION_COMPLETED', retry: { maximumAttempts: 1 } };
      const handle = await client.workflow.start('calling', {
        taskQueue,
        workflowId: randomUUID(),
        args: [[['book']], options],
      });
      await inside.opened;
      await handle.cancel();
      for (;;) {
        const { pendingActivities } = (await handle.describe()).raw;
        if (pendingActivities?.[0]?.state === 3) break;
      }
      // It does not know yet: it has no heartbeat.
      go.open();
      expect(await causeOf(handle.result())).toBeInstanceOf(CancelledFailure);
    });
    expect(await entries()).toEqual([]);
  });

  it('commits nothing when another attempt has taken its place', async () => {
    const { database, insert, entries } = await ledger();
    const [second, go] = [gate(), gate()];
    const book = transactional(async (tx) => {
      const { attempt } = Context.current().info;
      await tx.query(insert, ['a', attempt]);
      if (attempt === 1) await second.opened;
      else second.open();
      if (attempt === 1) go.open();
      else await go.opened;
    });
    const { run } = await harness({ activities: { book } }, database);
    await run((h) => h.execute('calling', [['book']], { startToCloseTimeout: 300 }));
    expect(await entries()).toEqual([{ account: 'a', amount: 2 }]);
  });

  it('has one transaction, ended by nobody else', async () => {
    const { database, insert, entries } = await ledger();
    const twice = async (): Promise<void> => {
      await transaction((tx) => tx.query(insert, ['first', 1]).then(() => undefined));
      await transaction((tx) => tx.query(insert, ['second', 1]));
    };
    const endsItself = transactional(async (tx) => void (await tx.query('ROLLBACK')));
    const gives = transactional(async (tx) => (tx as unknown as { release(): void }).release());
    const { run } = await harness({ activities: { twice, endsItself, gives } }, database);
    await run(async (h) => {
      // The first one has completed the attempt: what follows it changes nothing.
      expect(await h.execute('calling', [['twice']])).toEqual([null]);
      const once = { retry: { maximumAttempts: 1 } };
      for (const name of ['endsItself', 'gives']) {
        const failure = await causeOf(h.execute('calling', [[name]], once));
        expect(failure).toBeInstanceOf(ApplicationFailure);
        expect((failure as ApplicationFailure).message).toMatch(/transaction/i);
      }
    });
    expect(await entries()).toEqual([{ account: 'first', amount: 1 }]);
  });

  it('keeps the result of a local activity with its rows, for the marker of whichever workflow task', async () => {
    const { database, insert, entries } = await ledger();
    let runs = 0;
    let asked = 0;
    const book = transactional(async (tx, account: string) => {
      runs++;
      await tx.query(insert, [account, 1]);
      return { booked: account };
    });
    const firstTime = async (): Promise<boolean> => asked++ === 0;
    const { run } = await harness({ activities: { book, firstTime } }, database);
    await run(async (h) => expect(await h.execute('callingLocally', 'book', 'a')).toEqual({ booked: 'a' }));
    expect([runs, asked]).toEqual([1, 2]);
    expect(await entries()).toEqual([{ account: 'a', amount: 1 }]);
  });

  it('lends its transaction to libraries that want a pool', async () => {
    const { database, insert, entries } = await ledger();
    const book = transactional(async (tx) => {
      const pool = asPool(tx);
      const client = await pool.connect();
      await client.query(insert, ['a', 1]);
      client.release();
      await pool.end();
    });
    const { run } = await harness({ activities: { book } }, database);
    await run((h) => h.execute('calling', [['book']]));
    expect(await entries()).toHaveLength(1);
  });
});

describe('a connection that breaks in a transaction', () => {
  it.each([
    ['at BEGIN', () => 'BEGIN ISOLATION', 2],
    ['in its first statement', () => 'branchline.transaction', 2],
    ['at a write of the application', (insert: string) => insert, 2],
    ['while the completion is written', () => 'pg_current_xact_id', 2],
    ['after COMMIT, before the answer', () => 'COMMIT', 1],
  ])('%s: the work is done once', async (_where, textOf, attempts) => {
    const { database, insert, entries } = await ledger();
    const proxy = await cuttingProxy(database.url);
    afterTest(() => proxy.close());
    const seen: number[] = [];
    const cut = proxy.cutAnswerTo(textOf(insert));
    const book = async (account: string): Promise<number> => {
      seen.push(Context.current().info.attempt);
      return transaction(async (tx) => {
        await tx.query(insert, [account, 1]);
        return 1;
      });
    };
    const { run } = await harness({ activities: { book } }, { ...database, url: proxy.url });
    await run(async (h) => expect(await h.execute('calling', [['book', 'a']])).toEqual([1]));
    await cut;
    expect(seen).toHaveLength(attempts);
    expect(await entries()).toEqual([{ account: 'a', amount: 1 }]);
  });
});

describe('on a worker of Temporal', () => {
  it('a transaction needs to be told where', async () => {
    const error = await new MockActivityEnvironment()
      .run(() => transaction(async () => 1))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BRANCHLINE_TRANSACTIONS_NOT_CONFIGURED' });
  });

  it('a transaction that was committed is not repeated by the next attempt, one that failed is', async () => {
    const { insert, entries, database } = await ledger();
    const pool = new Pool({ connectionString: inject('databaseUrl') });
    const table = `results_${database.schema}`;
    afterTest(async () => {
      await pool.query(`DROP TABLE ${table}`);
      await pool.end();
    });
    configureTransactions({ pool, table });
    const attempt = (activityId: string, fail: boolean) =>
      new MockActivityEnvironment({ activityId, workflowExecution: { workflowId: 'w', runId: 'r' } }).run(
        transactional(async (tx, account: string) => {
          await tx.query(insert, [account, 1]);
          if (fail) throw new Error('lost');
          return { booked: account };
        }),
        activityId,
      );
    await expect(attempt('a', true)).rejects.toThrow('lost');
    expect(await entries()).toEqual([]);
    expect(await attempt('a', false)).toEqual({ booked: 'a' });
    expect(await attempt('a', true)).toEqual({ booked: 'a' });
    expect(await attempt('b', false)).toEqual({ booked: 'b' });
    expect(await entries()).toHaveLength(2);

    // A connection that breaks while nothing is asked of it fails the attempt, not the process.
    const broken = new MockActivityEnvironment({ activityId: 'd' }).run(
      transactional(async (tx) => {
        const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        const ended = new Promise((resolve) => tx.once('end', resolve));
        await sql('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
        await ended;
      }),
    );
    await expect(broken).rejects.toThrow(/terminat|not queryable|closed/i);

    const env = new MockActivityEnvironment({ activityId: 'c' });
    const cancelled = env.run(
      transactional(async (tx) => {
        await tx.query(insert, ['c', 1]);
        env.cancel();
      }),
    );
    await expect(cancelled).rejects.toThrow(CancelledFailure);
    expect(await entries()).toHaveLength(2);
  });
});
