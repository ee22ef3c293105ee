/** Mutations of the schema for the explorer to find. */
import type { Pool } from 'pg';

type Change = [check: RegExp, instead: string];

export const MUTATIONS = {
  /** What keeps a process that was taken for dead from committing: the run's version, its own lease, and the place of its events in the history. */
  withoutFence: mutation('commit_batch', [
    [/JOIN (\S+\.runs r) ON r\.run_id = c\.run AND r\.version = c\.expected/, 'JOIN $1 ON r.run_id = c.run'],
    [/IF batch_number = 0 AND \(lease IS NULL OR lease < started\) THEN/, 'IF false THEN'],
    [/(FROM unnest\(h_at, h_first, h_last, h_events\)[^;]*);/, '$1 ON CONFLICT DO NOTHING;'],
  ]),
  /** Commits that close a run do not look into its inbox. */
  withoutLook: mutation('commit_batch', [[/AND m\.error IS NULL AND/, 'AND false AND']]),
  /** Nothing keeps a run open until the transaction that signals it has ended. */
  withoutLock: mutation('admit_message', [[/(WHERE r\.run_id = run) FOR KEY SHARE/, '$1']]),
};

/** Replaces the function by one in which each `check` became `instead`; what is done with it gives what undoes that. */
function mutation(name: string, changes: Change[]) {
  return async (db: Pool, schema: string): Promise<() => Promise<unknown>> => {
    const { rows } = await db.query<{ definition: string }>(
      `SELECT pg_get_functiondef(oid) AS definition FROM pg_proc WHERE proname = $1 AND pronamespace = $2::regnamespace`,
      [name, schema],
    );
    const whole = rows[0]!.definition;
    let changed = whole;
    for (const [check, instead] of changes) {
      if (!check.test(changed)) throw new Error(`${name} has no ${String(check)} to take away`);
      changed = changed.replace(check, instead);
    }
    await db.query(changed);
    return () => db.query(whole);
  };
}
