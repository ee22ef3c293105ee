import { activityInfo, heartbeat, sleep } from 'branchline/activity';
import type { Pool } from 'pg';

export const LEDGER = `
  CREATE SCHEMA IF NOT EXISTS effects;
  CREATE TABLE IF NOT EXISTS effects.ledger (key text PRIMARY KEY, value integer NOT NULL);
  CREATE TABLE IF NOT EXISTS effects.attempts (key text, workflow_id text, run_id text, activity_id text, attempt integer, at timestamptz DEFAULT clock_timestamp());
`;

export function ledgerActivities(db: Pool) {
  const journal = async (key: string): Promise<void> => {
    const info = activityInfo();
    await db.query('INSERT INTO effects.attempts VALUES ($1, $2, $3, $4, $5)', [
      key,
      info.workflowExecution?.workflowId,
      info.workflowExecution?.runId,
      info.activityId,
      info.attempt,
    ]);
  };
  return {
    /** One ledger row however often it is repeated. */
    async effect(key: string, value: number): Promise<number> {
      await journal(key);
      await sleep(20);
      await db.query('INSERT INTO effects.ledger VALUES ($1, $2) ON CONFLICT (key) DO NOTHING', [key, value]);
      return value;
    },
    /** Fails at first, and heartbeats. */
    async flaky(key: string, value: number): Promise<number> {
      await journal(key);
      heartbeat(key);
      if (activityInfo().attempt === 1 && value % 3 === 0) throw new Error('not the first time');
      await db.query('INSERT INTO effects.ledger VALUES ($1, $2) ON CONFLICT (key) DO NOTHING', [key, value]);
      return value;
    },
    async add(a: number, b: number): Promise<number> {
      return a + b;
    },
  };
}
export type LedgerActivities = ReturnType<typeof ledgerActivities>;
