import { activityInfo, sleep } from '@temporalio/activity';
import type { Pool } from 'pg';

/** One row for each effect of each run; `times` > 1 when an attempt died after it wrote. */
export const LEDGER = `
  CREATE TABLE effects (workflow_id text, run_id text, effect text, times int NOT NULL, PRIMARY KEY (workflow_id, run_id, effect));
`;

/** Between an effect and its completion, so that a killed worker leaves activities there. */
const UNTIL_COMPLETION_MS = 100;

export function shopActivities(db: Pool) {
  return {
    /** Activities run at least once, on both engines: the key makes a repeated effect one effect. */
    async record(effect: string): Promise<void> {
      const { workflowId, runId } = activityInfo().workflowExecution!;
      await db.query(
        `INSERT INTO effects AS e VALUES ($1, $2, $3, 1)
         ON CONFLICT (workflow_id, run_id, effect) DO UPDATE SET times = e.times + 1`,
        [workflowId, runId, effect],
      );
      await sleep(UNTIL_COMPLETION_MS);
    },
  };
}

export type ShopActivities = ReturnType<typeof shopActivities>;
