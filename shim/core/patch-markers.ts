/** Patch markers are the only events and commands that may go unmatched in replay. */
import { NondeterminismError } from './errors';
import { patchMarkerOf } from './markers';
import type { Machine } from './machines/machine';
import { PatchMachine } from './machines/patch';
import { CHANGE_VERSION_ATTRIBUTE } from './machines/upsert-search-attributes';
import type { HistoryEvent } from './types';

/** What becomes of a command event and of the command waiting to be matched. */
export type PatchVerdict = 'match' | 'skipCommand' | 'skipEvent' | 'skipEventAndUpsert';

export function patchVerdict(
  event: HistoryEvent,
  waiting: Machine | undefined,
  nextEvent: HistoryEvent | undefined,
): PatchVerdict {
  const marker = patchMarkerOf(event);
  const patchMachine = waiting instanceof PatchMachine ? waiting : undefined;
  // A patch call whose marker history has not: it was not called then, and told lang so.
  if (marker === undefined) return patchMachine === undefined ? 'match' : 'skipCommand';
  if (patchMachine !== undefined && (patchMachine.patchId === marker.id || !marker.deprecated)) return 'match';
  if (marker.deprecated) return upsertsChangeVersion(nextEvent) ? 'skipEventAndUpsert' : 'skipEvent';
  throw new NondeterminismError(
    `Non-deprecated patch marker encountered for change ${marker.id}, but there is no corresponding change command!`,
  );
}

function upsertsChangeVersion(event: HistoryEvent | undefined): boolean {
  const fields = event?.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  return fields?.[CHANGE_VERSION_ATTRIBUTE] !== undefined;
}
