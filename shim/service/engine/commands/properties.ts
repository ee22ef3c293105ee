/** UPSERT_WORKFLOW_SEARCH_ATTRIBUTES and MODIFY_WORKFLOW_PROPERTIES (memo). */
import { long } from '../../../common/proto-values';
import { EventType } from '../event-fields';
import { mergeFields } from '../payload-fields';
import { validateSearchAttributes, validateSearchAttributesSize, withTypes } from '../search-attributes';
import { payloadMapSize } from '../size';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import { checkBlobSize, checkMemoSize, extrasOf, refusing, terminating } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

export function upsertSearchAttributes(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const attributes = command.upsertWorkflowSearchAttributesCommandAttributes;
  const name = 'UpsertWorkflowSearchAttributesCommand';
  if (!attributes) throw new CommandError(cause, `${name}Attributes is not set on ${name}.`);
  if (!attributes.searchAttributes) throw new CommandError(cause, `SearchAttributes is not set on ${name}.`);
  const fields = attributes.searchAttributes.indexedFields ?? {};
  if (Object.keys(fields).length === 0) throw new CommandError(cause, `IndexedFields is not set on ${name}.`);
  refusing(cause, () => validateSearchAttributes(fields, t.ctx.searchAttributeTypes, t.state.namespace));
  checkBlobSize(cause, payloadMapSize(fields), t.ctx, `${name}Attributes`);
  terminating(cause, () => validateSearchAttributesSize(mergeFields(t.state.searchAttributes, fields)));
  const event = t.addEvent(
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    {
      workflowTaskCompletedEventId: long(c.completedEventId),
      searchAttributes: { indexedFields: withTypes(fields, t.ctx.searchAttributeTypes) },
    },
    extrasOf(command),
  );
  t.effect({ type: 'visibilityChanged' });
  return event;
}

export function modifyProperties(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
  const attributes = command.modifyWorkflowPropertiesCommandAttributes;
  const name = 'ModifyWorkflowPropertiesCommand';
  if (!attributes) throw new CommandError(cause, `${name}Attributes is not set on ${name}.`);
  if (!attributes.upsertedMemo) throw new CommandError(cause, `UpsertedMemo is not set on ${name}.`);
  const fields = attributes.upsertedMemo.fields ?? {};
  if (Object.keys(fields).length === 0) throw new CommandError(cause, `UpsertedMemo.Fields is not set on ${name}.`);
  checkBlobSize(cause, payloadMapSize(fields), t.ctx, `${name}Attributes`);
  const merged = mergeFields(t.state.memo, fields);
  checkMemoSize(cause, merged, t.ctx, `${name}Attributes. Memo`);
  const event = t.addEvent(
    EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    {
      workflowTaskCompletedEventId: long(c.completedEventId),
      upsertedMemo: { fields },
    },
    extrasOf(command),
  );
  t.effect({ type: 'visibilityChanged' });
  return event;
}
