/** What a rule's engine lacks for what the rule sends there: a worker on its task queues, the namespace, or that nobody could be asked. */
import type { ConnectionLike } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { Code, isStatus } from './errors';
import { textMatches } from './routes/decide';
import type { Rule, Texts } from './routes/schema';

/** An engine that can be asked. */
export interface AskedEngine {
  connection: ConnectionLike;
  /** Namespace there, in place of the rule's. */
  namespace?: string;
}

type Run = temporal.api.workflow.v1.IWorkflowExecutionInfo;

/** So many recent runs of each engine say which task queues workflows have. */
const RECENT = 1000;
const PAGE = 500;
const ASK_MS = 10_000;
const DEFAULT_NAMESPACE = 'default';
/** TASK_QUEUE_TYPE_WORKFLOW */
const WORKFLOW = 1;

/**
 * Warnings, one sentence each; none = workers were seen on each task queue. A rule that names no task queue has those of the recent runs of what it takes, on all `engines`;
 * one that names no namespace is looked at in `namespaceOfOthers`.
 * Pollers are those that the engine saw in the last minutes; whether they know the workflow type it does not know.
 */
export async function prospectsOf(
  rule: Rule,
  engines: Record<string, AskedEngine>,
  namespaceOfOthers = DEFAULT_NAMESPACE,
): Promise<string[]> {
  if (rule.percentage === 0) return [];
  const target = engines[rule.engine];
  if (target === undefined) return [`engine '${rule.engine}' was not asked whether workers are there.`];
  const named = list(rule.namespace);
  if (named === undefined) {
    return [
      `rule '${rule.name}' takes namespaces by a pattern: whether workers are on ${rule.engine} was not looked at.`,
    ];
  }
  const warnings: string[] = [];
  for (const namespace of named.length === 0 ? [namespaceOfOthers] : named) {
    try {
      warnings.push(...(await ofNamespace(rule, namespace, target, engines)));
    } catch (error) {
      warnings.push(
        `engine '${rule.engine}' could not be asked whether workers are there (${(error as Error).message}).`,
      );
    }
  }
  return warnings;
}

async function ofNamespace(
  rule: Rule,
  namespace: string,
  target: AskedEngine,
  engines: Record<string, AskedEngine>,
): Promise<string[]> {
  const there = target.namespace ?? namespace;
  if (await isMissing(target, there)) return [`engine '${rule.engine}' has no namespace '${there}'.`];
  const { queues, unasked } = await queuesOf(rule, namespace, engines);
  if (queues.length === 0) {
    const asked = Object.keys(engines).filter((name) => !unasked.includes(name));
    const away = unasked.length === 0 ? '' : `; ${unasked.join(', ')} could not be asked`;
    return [
      `which task queues rule '${rule.name}' sends to ${rule.engine} is not known (no such run on ${asked.join(', ') || 'any engine'}${away}), nor whether workers poll them there.`,
    ];
  }
  const polled = await Promise.all(
    queues.map(async (name) => {
      const request = { namespace: there, taskQueue: { name }, taskQueueType: WORKFLOW };
      const { pollers } = await timely(target, (service) => service.describeTaskQueue(request));
      return pollers.length > 0;
    }),
  );
  return queues
    .filter((_, i) => polled[i] !== true)
    .map(
      (name) =>
        `nobody polls task queue '${name}' (namespace ${there}) on ${rule.engine}: what starts there waits for a worker.`,
    );
}

/** Those that the rule names, else those of recent runs like what it takes. */
async function queuesOf(
  rule: Rule,
  namespace: string,
  engines: Record<string, AskedEngine>,
): Promise<{ queues: string[]; unasked: string[] }> {
  const named = list(rule.taskQueue);
  if (named !== undefined && named.length > 0) return { queues: named, unasked: [] };
  const queues = new Set<string>();
  const unasked: string[] = [];
  await Promise.all(
    Object.entries(engines).map(async ([name, engine]) => {
      try {
        for (const run of await recentRuns(engine, namespace, rule)) {
          if (takes(rule, run) && run.taskQueue) queues.add(run.taskQueue);
        }
      } catch (error) {
        if (!isStatus(error, Code.NOT_FOUND)) unasked.push(name);
      }
    }),
  );
  return { queues: [...queues].sort(), unasked };
}

async function recentRuns(engine: AskedEngine, of: string, { workflowType }: Rule): Promise<Run[]> {
  const namespace = engine.namespace ?? of;
  const types = list(workflowType) ?? [];
  const query = types.map((type) => `WorkflowType = '${type.replace(/[\\']/g, '\\$&')}'`).join(' OR ');
  const runs: Run[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const request = { namespace, query, pageSize: PAGE, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    const answer = await timely(engine, (service) => service.listWorkflowExecutions(request));
    runs.push(...answer.executions);
    nextPageToken = answer.nextPageToken.length > 0 ? answer.nextPageToken : undefined;
  } while (nextPageToken !== undefined && runs.length < RECENT);
  return runs;
}

/** Tenants cannot be told from a list. */
const takes = ({ workflowType, workflowId, taskQueue }: Rule, run: Run): boolean =>
  [
    [workflowType, run.type?.name] as const,
    [workflowId, run.execution?.workflowId] as const,
    [taskQueue, run.taskQueue] as const,
  ].every(([texts, text]) => texts === undefined || textMatches(texts, text ?? ''));

async function isMissing(engine: AskedEngine, namespace: string): Promise<boolean> {
  try {
    await timely(engine, (service) => service.describeNamespace({ namespace }));
    return false;
  } catch (error) {
    if (isStatus(error, Code.NOT_FOUND)) return true;
    // Some may use a namespace and not look at it.
    if (isStatus(error, Code.PERMISSION_DENIED)) return false;
    throw error;
  }
}

const timely = <R>(
  { connection }: AskedEngine,
  ask: (service: ConnectionLike['workflowService']) => Promise<R>,
): Promise<R> => connection.withDeadline(Date.now() + ASK_MS, () => ask(connection.workflowService));

/** Undefined for a pattern. */
const list = (texts: Texts | undefined): string[] | undefined =>
  texts === undefined ? [] : typeof texts === 'string' ? [texts] : Array.isArray(texts) ? texts : undefined;
