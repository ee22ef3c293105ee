/** Sink calls on their way out of a workflow thread and into the main one. */
import type { WorkflowInfo } from '@temporalio/workflow';
import { createUnsafeRandomSource } from '@temporalio/workflow/lib/random-helpers';
import type { SinkFilter } from './thread-messages';
import type { SinkCall } from './types';

/** In the thread: leaves out what would not be called, and the functions in the info, which cannot cross. */
export function portableSinkCalls(calls: SinkCall[], filter: SinkFilter | undefined): SinkCall[] {
  if (calls.length === 0) return calls;
  // Calls of one activation mostly share their info; a shared object crosses once.
  const copies = new Map<WorkflowInfo, WorkflowInfo>();
  const copy = (info: WorkflowInfo) => {
    let found = copies.get(info);
    if (found === undefined) {
      const { now: _now, random: _random, ...unsafe } = info.unsafe;
      copies.set(info, (found = { ...info, unsafe } as WorkflowInfo));
    }
    return found;
  };
  return calls
    .filter(({ ifaceName, fnName, workflowInfo }) => {
      if (filter === undefined) return true;
      const sink = filter[ifaceName]?.[fnName];
      if (sink === undefined) return true;
      return sink !== 'dropped' && (sink.callDuringReplay || !workflowInfo.unsafe.isReplayingHistoryEvents);
    })
    .map((call) => ({ ...call, workflowInfo: copy(call.workflowInfo) }));
}

/** In the main thread: puts the functions back. */
export function restoreSinkCalls(calls: SinkCall[]): void {
  for (const { workflowInfo } of calls) {
    if (workflowInfo.unsafe.now !== undefined) continue;
    Object.assign(workflowInfo.unsafe, { now: Date.now, random: createUnsafeRandomSource(Math.random) });
  }
}

/** What a sink may be told of a value that cannot be copied to another thread. */
export function withoutUncloneable(calls: SinkCall[]): SinkCall[] {
  return calls.map((call) => ({
    ...call,
    args: call.args.map(cloneableOrText),
    workflowInfo: cloneable(call.workflowInfo)
      ? call.workflowInfo
      : { ...call.workflowInfo, memo: {}, lastResult: undefined },
  }));
}

function cloneableOrText(value: unknown): unknown {
  return cloneable(value) ? value : String(value);
}

function cloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
