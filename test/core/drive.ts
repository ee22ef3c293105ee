/** Drives a core run over a given history: a driver for tests, with no service behind it. */
import { createCoreRun } from '../../shim/core';
import { replayTask } from '../../shim/worker/workflow/replay-task';
import type { Activation, CoreAction, CoreRun, CoreRunOptions, HistoryEvent, WorkflowTask } from '../../shim/core';
import type { OfficialBundle, OfficialIsolate } from './official-isolate';

export const options: CoreRunOptions = {
  namespace: 'default',
  taskQueue: 'test',
  sdkName: 'temporal-typescript',
  sdkVersion: '1.24.0',
  identity: 'test',
  buildId: 'test-build',
};

export type Answer = Exclude<CoreAction, { type: 'activate' } | { type: 'fetchHistory' }>;

export interface Driven {
  run: CoreRun;
  isolate: OfficialIsolate;
  activations: Activation[];
}

/** Performs activations and page fetches until neither is left; gives the other actions. */
export async function perform(driven: Driven, actions: CoreAction[], history: HistoryEvent[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const queue = [...actions];
  for (let action = queue.shift(); action !== undefined; action = queue.shift()) {
    if (action.type === 'activate') {
      driven.activations.push(action.activation);
      const evicts = action.activation.jobs?.some((job) => job.removeFromCache);
      const completion = evicts
        ? { runId: driven.run.runId, successful: {} }
        : await driven.isolate.activate(action.activation);
      queue.push(...driven.run.completeActivation(completion));
    } else if (action.type === 'fetchHistory') {
      queue.push(...driven.run.historyFetched(...page(history, action.fromEventId)));
    } else {
      answers.push(action);
    }
  }
  return answers;
}

const PAGE = 10;

function page(history: HistoryEvent[], fromEventId: number): [HistoryEvent[], Uint8Array | undefined] {
  const events = history.slice(fromEventId - 1, fromEventId - 1 + PAGE);
  const more = fromEventId - 1 + PAGE < history.length;
  return [events, more ? new Uint8Array([1]) : undefined];
}

export interface ReplayResult {
  evicted: Extract<CoreAction, { type: 'evicted' }>;
  activations: Activation[];
}

/** Replays a whole history. @param paged hand it out in pages instead of at once. */
export async function replay(
  bundle: OfficialBundle,
  events: HistoryEvent[],
  { workflowId, paged = false }: { workflowId?: string; paged?: boolean } = {},
): Promise<ReplayResult> {
  const task: WorkflowTask = replayTask({ events }, workflowId ?? 'fake');
  const taskQueue = events[0]?.workflowExecutionStartedEventAttributes?.taskQueue?.name ?? 'test';
  if (paged) {
    task.history = { events: events.slice(0, PAGE) };
    task.nextPageToken = events.length > PAGE ? new Uint8Array([1]) : undefined;
  }
  const isolate = bundle.isolate(taskQueue);
  const run = createCoreRun(task, { ...options, taskQueue, replayOnly: true });
  const driven: Driven = { run, isolate, activations: [] };
  try {
    const answers = await perform(driven, run.handleTask(task), events);
    const evicted = answers.find((answer) => answer.type === 'evicted');
    if (evicted?.type !== 'evicted') throw new Error(`Replay did not end: ${JSON.stringify(answers)}`);
    return { evicted, activations: driven.activations };
  } finally {
    await isolate.dispose();
  }
}
