/** Counts and times the calls of a connection. Stands before the service only while somebody measures. */
import { Code } from '../../service/errors';
import { codeOf, type Rpc } from '../polling/rpc';
import type { RequestMetrics } from './sdk-metrics';

interface Labelled {
  namespace?: string | null;
  taskQueue?: string | { name?: string | null; normalName?: string | null } | null;
  waitNewEvent?: boolean | null;
}

const polls = /^poll/;
/** Calls whose task queue is a label in Temporal's core. */
const labelledByQueue =
  /^(startWorkflowExecution|signalWithStartWorkflowExecution|poll(Workflow|Activity)TaskQueue|describeTaskQueue|listTaskQueuePartitions)$/;

export class MeteredRpc implements Rpc {
  constructor(
    private readonly inner: Rpc,
    private readonly metrics: RequestMetrics,
    /** Failures carry the label `status_code`. */
    private readonly codes: boolean,
  ) {}

  get transactions(): Rpc['transactions'] {
    return this.inner.transactions;
  }

  async call(...args: Parameters<Rpc['call']>): Promise<object> {
    const [method, request] = args;
    const { metrics } = this;
    const tags = labelsOf(method, request as Labelled);
    const isLong = polls.test(method) || (request as Labelled).waitNewEvent === true;
    const kind = isLong ? 'long_request' : 'request';
    const startedAt = performance.now();
    metrics.record(kind, 1, tags);
    try {
      return await this.inner.call(...args);
    } catch (error) {
      const failed = this.codes ? { ...tags, status_code: Code[codeOf(error)] ?? 'UNKNOWN' } : tags;
      metrics.record(`${kind}_failure`, 1, failed);
      throw error;
    } finally {
      metrics.record(`${kind}_latency`, performance.now() - startedAt, tags);
    }
  }
}

function labelsOf(method: string, { namespace, taskQueue }: Labelled): Record<string, string> {
  const tags: Record<string, string> = { operation: method.charAt(0).toUpperCase() + method.slice(1) };
  if (namespace) tags.namespace = namespace;
  if (taskQueue && labelledByQueue.test(method)) {
    const name = typeof taskQueue === 'string' ? taskQueue : taskQueue.normalName || taskQueue.name;
    if (name) tags.task_queue = name;
  }
  return tags;
}
