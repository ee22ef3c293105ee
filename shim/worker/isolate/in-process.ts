/** A workflow host in the calling thread, for tests and for replaying histories. */
import { rejectionOfUnknownRun } from '../errors';
import { IsolateService } from './isolate-service';
import { callPatchCallback, portableInfo, type PatchActivationCallback } from './patch-answer';
import type { WorkflowBundle, WorkflowHost } from './types';

export interface InProcessOptions {
  /** Default true. */
  reuseV8Context?: boolean;
  registeredActivityNames?: Iterable<string>;
  /** Record stacks for the stack trace queries; slows the whole thread (default false). */
  stackTraces?: boolean;
  patchActivationCallback?: PatchActivationCallback;
}

/** Only one workflow of the thread runs at a time, whatever host it belongs to: rejections must find their run. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * While a workflow runs, unhandled rejections of workflow code count as its own. Those of two hosts in the same turn of the event
 * loop cannot be told apart, so a worker in production uses threads.
 *
 * @throws BranchlineError when the bundle cannot be loaded
 */
export function createInProcess(bundle: WorkflowBundle, options: InProcessOptions = {}): WorkflowHost {
  const callback = options.patchActivationCallback;
  const service = new IsolateService(bundle, {
    reuseV8Context: options.reuseV8Context ?? true,
    ownsThread: false,
    executionTimeoutMs: 0,
    registeredActivityNames: new Set(options.registeredActivityNames ?? []),
    stackTracesEnabled: options.stackTraces ?? false,
    patchActivationCallback: callback && ((info, patchId) => callPatchCallback(callback, portableInfo(info), patchId)),
  });
  service.probe();
  const onRejection = (reason: unknown, promise: Promise<unknown>): void => {
    const owner = service.rejectionUnhandled(reason, promise);
    // What Node does when nobody listens.
    if (owner === 'thread' && process.listenerCount('unhandledRejection') === 1) throw rejectionOfUnknownRun(reason);
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(async () => {
      process.on('unhandledRejection', onRejection);
      try {
        return await work();
      } finally {
        process.off('unhandledRejection', onRejection);
      }
    });
    turn = result.catch(() => {});
    return result;
  };
  return {
    create: (runId, createOptions) => inTurn(() => service.create(runId, createOptions, false)),
    activate: (runId, activation) => inTurn(() => service.activate(runId, activation)),
    dispose: (runId) => inTurn(() => service.dispose(runId)),
    close: () => inTurn(async () => service.close()),
    bytesPerRun: () => 64 * 1024,
  };
}
