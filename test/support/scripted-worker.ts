/** A worker made of a script: it polls by raw RPCs and answers each workflow task with what the script decides. */
import { temporal } from '@temporalio/proto';
import type { Connection } from '../../shim/client';
import { afterTest } from './database';

type Task = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type Completion = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Command = temporal.api.command.v1.ICommand;
type Payload = temporal.api.common.v1.IPayload;

const { CommandType } = temporal.api.enums.v1;

export interface Decision extends Pick<Completion, 'messages' | 'queryResults' | 'workerVersionStamp'> {
  commands?: Command[];
  /** Answer of a direct query; an Error fails it. */
  answer?: unknown;
}
export type Script = (task: Task) => Decision | Promise<Decision>;

export const payload = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
export const payloads = (...values: unknown[]): { payloads: Payload[] } => ({ payloads: values.map(payload) });
export const decoded = (value: Payload | null | undefined): unknown =>
  JSON.parse(Buffer.from(value?.data ?? []).toString());

export const complete = (result: unknown): Command => ({
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloads(result) },
});
export const fail = (message: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  failWorkflowExecutionCommandAttributes: {
    failure: { message, source: 'TypeScriptSDK', applicationFailureInfo: { type: 'Error', nonRetryable: true } },
  },
});

/** Runs `script` on `queue` until the test ends. */
export function scriptedWorker(connection: Connection, queue: string, script: Script, namespace = 'default'): void {
  const stop = new AbortController();
  const identity = `script-${queue}`;
  // As the SDKs' core says.
  const capabilities = { discardSpeculativeWorkflowTaskWithEvents: true };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      let task: Task;
      try {
        task = await connection.withAbortSignal(stop.signal, () =>
          connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: queue }, identity }),
        );
      } catch (error) {
        if (stop.signal.aborted) return;
        throw error;
      }
      if (!task.taskToken?.length) continue;
      const { taskToken } = task;
      const { answer, ...decision } = await script(task);
      if (task.query) {
        const failed = answer instanceof Error;
        await connection.workflowService.respondQueryTaskCompleted({
          namespace,
          taskToken,
          completedType: failed ? 2 : 1,
          ...(failed ? { errorMessage: answer.message } : { queryResult: payloads(answer) }),
        });
        continue;
      }
      const completion = { namespace, taskToken, identity, capabilities, ...decision };
      await connection.workflowService.respondWorkflowTaskCompleted(completion).catch((error: { code?: number }) => {
        // The task was lost to somebody who moved the run (NOT_FOUND): it comes again.
        if (error.code !== 5) throw error;
      });
    }
  };
  const running = loop();
  running.catch(() => undefined);
  afterTest(async () => {
    stop.abort();
    await running;
  });
}
