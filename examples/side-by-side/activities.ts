import { activityInfo } from '@temporalio/activity';
import type { Pool } from 'pg';

/** One row for each effect of each run; `times` > 1 when an attempt died after it wrote. */
export const LEDGER = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.effects (workflow_id text, run_id text, effect text, times int NOT NULL, PRIMARY KEY (workflow_id, run_id, effect));
`;

export function shopActivities(db: Pool) {
  return {
    async record(effect: string): Promise<void> {
      const { workflowId, runId } = activityInfo().workflowExecution!;
      await db.query(
        `INSERT INTO shop.effects AS e VALUES ($1, $2, $3, 1)
         ON CONFLICT (workflow_id, run_id, effect) DO UPDATE SET times = e.times + 1`,
        [workflowId, runId, effect],
      );
    },
  };
}

export type ShopActivities = ReturnType<typeof shopActivities>;
