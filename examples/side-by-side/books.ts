/** What must hold of all workflows of the demo: where each is, that the list is complete, that each effect was had once. */
import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { ENGINE_ATTRIBUTE } from 'branchline/router';
import { BILLING_EFFECTS, SIGNUP_EFFECTS } from './workflows';

export type Engine = 'temporal' | 'postgres';

/** A workflow that was started, and what was sent to it and answered. */
export interface Entry {
  workflowId: string;
  type: 'signup' | 'billing';
  /** Where the routes sent it. */
  engine: Engine;
  notes: number;
  seats: number;
  finished: boolean;
}

const VISIBLE_WITHIN_MS = 60_000;

/**
 * Lists until each workflow is there, as Temporal's list is behind by up to a second.
 * @throws Error when one is missing, there twice or on another engine
 */
export async function checkList(client: Client, entries: Entry[]): Promise<string> {
  const deadline = Date.now() + VISIBLE_WITHIN_MS;
  for (;;) {
    const found = new Map<string, string>();
    for await (const { workflowId, searchAttributes } of client.workflow.list({ query: `TaskQueue = 'shop'` })) {
      if (found.has(workflowId)) throw new Error(`${workflowId} is in the list twice`);
      found.set(workflowId, String(searchAttributes?.[ENGINE_ATTRIBUTE]?.[0]));
    }
    const missing = entries.filter(({ workflowId }) => !found.has(workflowId));
    const { count } = await client.workflow.count(`TaskQueue = 'shop'`);
    if (missing.length === 0 && count === entries.length) {
      if (found.size !== entries.length) throw new Error(`${found.size} are listed, ${entries.length} were started`);
      for (const { workflowId, engine } of entries) {
        const on = found.get(workflowId);
        if (on !== engine) throw new Error(`${workflowId} is on ${on}; its route said ${engine}`);
      }
      const moved = entries.filter(({ engine }) => engine === 'postgres').length;
      return `${found.size} listed and counted: ${found.size - moved} on temporal, ${moved} on postgres`;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `of ${entries.length} workflows the count says ${count}; not listed: ${missing.map((m) => m.workflowId).join(', ')}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

interface Effect {
  workflow_id: string;
  run_id: string;
  effect: string;
  times: number;
}

/** The ledger against what was started. @throws Error that names what is lost, doubled or nobody's */
export async function checkLedger(db: Pool, entries: Entry[]): Promise<string> {
  const { rows } = await db.query<Effect>('SELECT * FROM effects');
  const seen = new Map<string, Effect[]>();
  for (const row of rows) seen.set(row.workflow_id, [...(seen.get(row.workflow_id) ?? []), row]);
  const wrong: string[] = [];
  for (const { workflowId, type } of entries) {
    const effects = seen.get(workflowId) ?? [];
    seen.delete(workflowId);
    const had = effects.map(({ effect }) => effect).sort();
    const expected = [...(type === 'signup' ? SIGNUP_EFFECTS : BILLING_EFFECTS)].sort();
    if (had.join() !== expected.join()) wrong.push(`${workflowId} had ${had.join()} and not ${expected.join()}`);
    if (new Set(effects.map(({ run_id }) => run_id)).size > 1) wrong.push(`${workflowId} ran twice`);
  }
  for (const stranger of seen.keys()) wrong.push(`nobody started ${stranger}`);
  if (wrong.length > 0) throw new Error(`The ledger is wrong:\n${wrong.join('\n')}`);
  const repeated = rows.filter(({ times }) => times > 1).length;
  return `${rows.length} effects of ${entries.length} workflows: none lost, none doubled (${repeated} written by two attempts of one activity)`;
}
