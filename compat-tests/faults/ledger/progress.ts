/** How far transfers have come, read from Branchline's tables. */
import type { Pool } from 'pg';
import type { Transfer } from './book';

/** How many of these have not completed: a run of theirs is open, or none has completed, or their caller has not paid. */
export async function open(db: Pool, schema: string, transfers: Transfer[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM unnest($1::text[], $2::boolean[]) AS t(id, by_caller)
     WHERE NOT EXISTS (SELECT FROM ${schema}.executions e WHERE e.workflow_id = t.id AND e.status = 1)
       AND EXISTS (SELECT FROM ${schema}.executions e WHERE e.workflow_id = t.id AND e.status = 2)
       AND (NOT t.by_caller OR EXISTS (SELECT FROM book.paid p WHERE p.transfer = t.id))`,
    [transfers.map(({ id }) => id), transfers.map(({ byCaller }) => byCaller)],
  );
  return transfers.length - rows[0]!.n;
}

/** How a transfer stands, for whoever meets one that does not come to its end. */
export async function standing(db: Pool, schema: string, { id }: Transfer): Promise<string> {
  const { rows } = await db.query<{ line: string }>(
    `SELECT line FROM ${schema}.executions e, LATERAL ${schema}.explain(e.workflow_id, e.run_id) AS line WHERE e.workflow_id = $1
     UNION ALL SELECT 'run ' || to_json(r)::text FROM ${schema}.runs r JOIN ${schema}.executions e USING (run_id) WHERE e.workflow_id = $1
     UNION ALL SELECT 'task ' || to_json(t)::text FROM ${schema}.tasks t
     UNION ALL SELECT 'process ' || to_json(p)::text FROM ${schema}.processes p
     UNION ALL SELECT 'backend ' || a.pid || ' ' || a.application_name || ' ' || a.state || ' ' || coalesce(a.wait_event, '') || ': ' || left(a.query, 200)
       FROM pg_stat_activity a WHERE a.backend_type = 'client backend'`,
    [id],
  );
  return rows.map(({ line }) => line).join('\n');
}

/** Those that their caller has not paid; all when the database is away. */
export async function unpaid(db: Pool, transfers: Transfer[]): Promise<Transfer[]> {
  const paid = await db.query<{ transfer: string }>('SELECT transfer FROM book.paid').catch(() => ({ rows: [] }));
  const ids = new Set(paid.rows.map(({ transfer }) => transfer));
  return transfers.filter(({ id }) => !ids.has(id));
}

/** Those whose payment is not in history exactly once, with how often it is. */
export async function signaledOtherwise(db: Pool, schema: string, transfers: Transfer[]): Promise<string[]> {
  const { rows } = await db.query<{ fault: string }>(
    `SELECT t.id || ': signaled ' || count(h.event_id) || ' times' AS fault
     FROM unnest($1::text[]) AS t(id)
       LEFT JOIN ${schema}.executions e ON e.workflow_id = t.id
       LEFT JOIN ${schema}.history_events h
         ON h.run_id = e.run_id AND h.event_type = 'WorkflowExecutionSignaled' AND h.attributes ->> 'signalName' = 'pay'
     GROUP BY t.id HAVING count(h.event_id) <> 1`,
    [transfers.map(({ id }) => id)],
  );
  return rows.map(({ fault }) => fault);
}
