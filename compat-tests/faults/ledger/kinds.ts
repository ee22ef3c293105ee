/** What a statement is part of, for the figures. */
import type { Passed } from './wire-proxy';

export type Kind =
  | 'transactional start'
  | 'transactional signal'
  | 'delivery of them'
  | 'transactional activity'
  | 'first commit of a run'
  | 'workflow-task completion'
  | 'timer'
  | 'other';

/** Names of connections, as `application_name`. */
const APPLICATIONS: Record<string, Kind> = {
  'transactional start': 'transactional start',
  'transactional signal': 'transactional signal',
  'branchline transactions': 'transactional activity',
};
const EVENTS: Record<string, Kind> = {
  WORKFLOW_EXECUTION_STARTED: 'first commit of a run',
  WORKFLOW_TASK_COMPLETED: 'workflow-task completion',
  TIMER_STARTED: 'timer',
  TIMER_FIRED: 'timer',
  WORKFLOW_EXECUTION_SIGNALED: 'delivery of them',
};

/** A commit of several events is of several kinds. */
export function kindsOf({ text, application, events }: Passed): Set<Kind> {
  const kinds = new Set(Array.from(events, (event) => EVENTS[event]).filter((kind) => kind !== undefined));
  const named = APPLICATIONS[application];
  if (named !== undefined) kinds.add(named);
  if (/\.inbox\b/.test(text)) kinds.add('delivery of them');
  return kinds.size === 0 ? new Set<Kind>(['other']) : kinds;
}
