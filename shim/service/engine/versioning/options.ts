/** UpdateWorkflowExecutionOptions: an operator pins a run to a version, lets it follow, or takes that back. */
import { EventType } from '../event-fields';
import { asRun } from '../transition';
import type { Transition } from '../types';
import { wireOverride } from './override';
import { type OverrideState, effectiveBehavior, effectiveVersion } from './run-versioning';
import { offerActivities } from './transition';
import { sameVersion } from './version';

/** `override` null takes it away. False when that is how it stands already: nothing is written. */
export function updateOverride(transition: Transition, override: OverrideState | null): boolean {
  const t = asRun(transition);
  const { state } = t;
  if (same(state.deployment?.override ?? null, override)) return false;
  const before = { version: effectiveVersion(state), behavior: effectiveBehavior(state) };
  t.addEvent(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    override === null ? { unsetVersioningOverride: true } : { versioningOverride: wireOverride(override) },
    { workerMayIgnore: true },
  );
  if (!sameVersion(before.version, effectiveVersion(state)) || before.behavior !== effectiveBehavior(state)) {
    const task = state.workflowTask;
    if (task !== null && task.startedEventId === 0 && task.kind !== 'speculative') {
      t.effect({ type: 'workflowTaskScheduled' });
    }
    t.effect({ type: 'visibilityChanged' });
  }
  offerActivities(t);
  return true;
}

function same(a: OverrideState | null, b: OverrideState | null): boolean {
  if (a === null || b === null) return a === b;
  if ('pinned' in a) return 'pinned' in b && sameVersion(a.pinned, b.pinned);
  return 'autoUpgrade' in b;
}
