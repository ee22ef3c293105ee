/** DescribeTaskQueue over all engines: who polls, wherever. */
import type { temporal } from '@temporalio/proto';
import type { Engines } from './engines';

type Response = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;

const ASK_MS = 5000;

/** The answer of the first engine that has pollers (else of the first), with the pollers of all. @throws GrpcError when an engine does not answer */
export async function mergedTaskQueue(engines: Engines, method: string, request: object): Promise<object> {
  const answers = await Promise.all(
    engines.names.map((name) => engines.callWithin<Response>(name, method, request, ASK_MS)),
  );
  const polled = answers.find(({ pollers }) => (pollers?.length ?? 0) > 0) ?? answers[0];
  return { ...polled, pollers: answers.flatMap(({ pollers }) => pollers ?? []) };
}
