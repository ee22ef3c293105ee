/** Leaves a message for an open run in the caller's transaction. */
import type { Admission, CallerConnection, InboxMessage } from '../../store/types';
import { type Target, chainNotFound, runNotFound, workflowNotFound } from '../target';
import type { ServiceParts } from '../types';

export async function send(
  parts: ServiceParts,
  client: CallerConnection,
  target: Target,
  firstRunId: string,
  message: Pick<InboxMessage, 'kind' | 'requestId' | 'request'>,
): Promise<{ admission: Admission; runId: string }> {
  const answer = await parts.store.inbox.send(client, { ...target, firstRunId, ...message });
  switch (answer.admission) {
    case 'unknownWorkflow':
      throw workflowNotFound(target.workflowId);
    case 'unknownRun':
      throw runNotFound(target.workflowId, target.runId);
    case 'otherChain':
      throw chainNotFound();
    default:
      return answer;
  }
}
