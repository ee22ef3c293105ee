/** Links in responses that point at what a request left in a history (used by Nexus callers). */
import { temporal } from '@temporalio/proto';

type Link = temporal.api.common.v1.ILink;
type EventType = temporal.api.enums.v1.EventType;

const STARTED = temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;

/** To the first event of a run. */
export const startedLink = (namespace: string, workflowId: string, runId: string): Link =>
  ({
    workflowEvent: { namespace, workflowId, runId, eventRef: { eventId: 1, eventType: STARTED } },
  }) as unknown as Link;

/** To the event that a request id led to. */
export const requestLink = (
  namespace: string,
  workflowId: string,
  runId: string,
  requestId: string,
  eventType: EventType,
): Link => ({ workflowEvent: { namespace, workflowId, runId, requestIdRef: { requestId, eventType } } }) as Link;
