import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { coresdk } from '@temporalio/proto';
import { beforeAll, describe, expect, it } from 'vitest';
import { replay } from './drive';
import { officialBundle } from './official-isolate';
import type { OfficialBundle } from './official-isolate';
import type { Activation, HistoryEvent } from '../../shim/core';

const { EvictionReason } = coresdk.workflow_activation.RemoveFromCache;

const shared = resolve(__dirname, '../../../shared/histories');

function load(path: string): HistoryEvent[] {
  return historyFromJSON(JSON.parse(readFileSync(path, 'utf8'))).events ?? [];
}

describe.skipIf(!existsSync(shared))('histories of a Temporal server', () => {
  let bundle: OfficialBundle;
  beforeAll(async () => {
    bundle = await officialBundle(require.resolve('./fixtures/sample-workflows.ts'));
  });

  const variants = (activations: Activation[]): string[][] =>
    activations.map((activation) => (activation.jobs ?? []).map((job) => (job as { variant: string }).variant));

  it('replays a child workflow', async () => {
    const { evicted, activations } = await replay(bundle, load(`${shared}/child.json`));
    expect(evicted.message).toBe('The history was replayed');
    expect(evicted.reason).toBe(EvictionReason.LANG_REQUESTED);
    expect(variants(activations)).toEqual([['initializeWorkflow'], ['fireTimer'], ['removeFromCache']]);
  });

  it.each([false, true])('replays activity, timer, signal and child (in pages: %s)', async (paged) => {
    const events = load(`${shared}/activity-timer-signal-child.json`);
    const { evicted, activations } = await replay(bundle, events, {
      workflowId: 'sample-history-1795219344931',
      paged,
    });
    expect(evicted.message).toBe('The history was replayed');
    expect(variants(activations)).toEqual([
      ['initializeWorkflow'],
      ['resolveActivity'],
      ['signalWorkflow'],
      ['fireTimer'],
      ['resolveChildWorkflowExecutionStart'],
      ['resolveChildWorkflowExecution'],
      ['removeFromCache'],
    ]);
  });

  it('finds changed code', async () => {
    const events = load(`${shared}/child.json`);
    const start = events[0]?.workflowExecutionStartedEventAttributes;
    if (start) start.workflowType = { name: 'childWfChanged' };
    const { evicted } = await replay(bundle, events);
    expect(evicted.reason).toBe(EvictionReason.NONDETERMINISM);
    expect(evicted.message).toContain(
      '[TMPRL1100] Nondeterminism error: Activity machine does not handle this event: HistoryEvent(id: 5, TimerStarted)',
    );
  });
});
