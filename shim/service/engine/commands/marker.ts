/** RECORD_MARKER. */
import { long } from '../../../common/proto-values';
import { EventType } from '../event-fields';
import { payloadsSize } from '../size';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import { byteLength, checkBlobSize, extrasOf } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

export function recordMarker(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
  const attributes = command.recordMarkerCommandAttributes;
  if (!attributes) throw new CommandError(cause, 'RecordMarkerCommandAttributes is not set on RecordMarkerCommand.');
  const { limits } = t.ctx;
  const markerName = attributes.markerName ?? '';
  if (markerName === '') throw new CommandError(cause, 'MarkerName is not set on RecordMarkerCommand.');
  const length = byteLength(markerName);
  if (length > limits.idLength) {
    throw new CommandError(
      cause,
      `MarkerName on RecordMarkerCommand exceeds length limit. MarkerName=${markerName} Length=${length} Limit=${limits.idLength}`,
    );
  }
  let size = 0;
  for (const key in attributes.details) size += key.length + payloadsSize(attributes.details[key]);
  checkBlobSize(cause, size, t.ctx, 'RecordMarkerCommandAttributes.Details');
  return t.addEvent(
    EventType.EVENT_TYPE_MARKER_RECORDED,
    {
      markerName,
      ...(attributes.details ? { details: attributes.details } : {}),
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(attributes.header ? { header: attributes.header } : {}),
      ...(attributes.failure ? { failure: attributes.failure } : {}),
    },
    extrasOf(command),
  );
}
