/** What the workflows of the restore do: effects on a world that no restore takes back, and book-keeping in the database that is restored. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { transactional } from 'branchline/activity';

export interface Deed {
  workflowId: string;
  runId: string;
  activityId: string;
  activityType: string;
}

export const LEDGER = 'CREATE TABLE ledger (workflow_id text NOT NULL, cents integer NOT NULL)';

/** `world`: a file. */
export function restoreActivities(world: string) {
  const act = (): void => {
    const { workflowExecution, activityId, activityType } = activityInfo();
    const deed: Deed = { ...workflowExecution!, activityId, activityType };
    appendFileSync(world, `${JSON.stringify(deed)}\n`);
  };
  return {
    charge: async (): Promise<void> => (act(), await pause(20)),
    mail: async (): Promise<void> => (act(), await pause(20)),
    print: async (): Promise<void> => (act(), await pause(2500)),
    book: transactional(async (tx, cents: number): Promise<void> => {
      act();
      const { workflowId } = activityInfo().workflowExecution!;
      await tx.query('INSERT INTO ledger VALUES ($1, $2), ($1, $3)', [workflowId, cents, -cents]);
    }),
  };
}

export type RestoreActivities = ReturnType<typeof restoreActivities>;

export const deedsOf = (world: string): Deed[] =>
  existsSync(world)
    ? readFileSync(world, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Deed)
    : [];
