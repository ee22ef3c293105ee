/** What commands change in the run itself: search attributes and memo. */
import type { Appliers } from './apply';
import { EventType } from './event-fields';
import { mergeFields } from './payload-fields';

export const commandAppliers: Appliers = {
  [EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: (state, event) => {
    const changes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    state.searchAttributes = mergeFields(state.searchAttributes, changes);
  },
  [EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED]: (state, event) => {
    state.memo = mergeFields(state.memo, event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields);
  },
};
