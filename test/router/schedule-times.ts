/** What a schedule of one-second intervals started, over both engines. */
import type { Client } from '@temporalio/client';

export interface Started {
  /** Epoch ms of its time, from the workflow id. */
  time: number;
  engine: string;
}

/** Of workflow ids `<scheduleId>-<time>`, in order; a time that was started twice is there twice. */
export async function startedBy(
  plain: Record<'temporal' | 'postgres', Client>,
  scheduleId: string,
): Promise<Started[]> {
  const found: Started[] = [];
  for (const [engine, client] of Object.entries(plain)) {
    for await (const { workflowId } of client.workflow.list({ query: `TemporalScheduledById = '${scheduleId}'` })) {
      found.push({ time: Date.parse(workflowId.slice(scheduleId.length + 1)), engine });
    }
  }
  return found.sort((a, b) => a.time - b.time);
}

export function expectedTimes(createdMs: number, untilMs: number): number[] {
  const times: number[] = [];
  for (let ms = Math.floor(createdMs / 1000) * 1000 + 1000; ms <= untilMs; ms += 1000) times.push(ms);
  return times;
}
