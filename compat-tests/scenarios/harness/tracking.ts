/** A connection that notes every run which is started through it. */
import type { ConnectionLike, WorkflowService } from '@temporalio/client';
import type { Run } from './histories';

interface StartLike {
  workflowId?: string | null;
  operations?: { startWorkflow?: StartLike | null }[] | null;
}
interface StartedLike {
  runId?: string | null;
  responses?: { startWorkflow?: StartedLike | null }[] | null;
}

export function trackStarts(connection: ConnectionLike, started: (run: Run) => void): ConnectionLike {
  const note = (request: StartLike, response: StartedLike): void => {
    if (request.workflowId && response.runId) started({ workflowId: request.workflowId, runId: response.runId });
    request.operations?.forEach(({ startWorkflow }, i) => {
      const answer = response.responses?.[i]?.startWorkflow;
      if (startWorkflow && answer) note(startWorkflow, answer);
    });
  };
  const service = new Proxy(connection.workflowService, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      if (!/^(start|signalWithStart|executeMulti)/.test(String(name))) return method.bind(target) as unknown;
      return async (request: StartLike) => {
        const response = (await method.call(target, request)) as StartedLike;
        note(request, response);
        return response;
      };
    },
  }) as WorkflowService;
  return new Proxy(connection, {
    get(target, name) {
      if (name === 'workflowService') return service;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
