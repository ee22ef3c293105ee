/** Temporal's filter on workers, such as `TaskQueue = 'orders' AND Status = 'Running'`, evaluated on their heartbeats. */
import { temporal } from '@temporalio/proto';
import { optionalMs } from '../../common/proto-values';
import { type Filter, FilterError, type Name, type Value } from '../visibility/filter';
import { readFilter, refusing } from '../visibility/query';
import type { Heartbeat } from './registry';

const Status = temporal.api.enums.v1.WorkerStatus;

/** Running, ShuttingDown, Shutdown. */
function statusName(status: Heartbeat['status']): string {
  const words = (Status[status ?? 0] ?? '').replace('WORKER_STATUS_', '').toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

type Scalar = string | number | undefined;

const COLUMNS: Record<string, (heartbeat: Heartbeat) => Scalar | null> = {
  WorkerInstanceKey: (worker) => worker.workerInstanceKey,
  WorkerIdentity: (worker) => worker.workerIdentity,
  HostName: (worker) => worker.hostInfo?.hostName,
  TaskQueue: (worker) => worker.taskQueue,
  DeploymentName: (worker) => worker.deploymentVersion?.deploymentName,
  BuildId: (worker) => worker.deploymentVersion?.buildId,
  SdkName: (worker) => worker.sdkName,
  SdkVersion: (worker) => worker.sdkVersion,
  StartTime: (worker) => optionalMs(worker.startTime),
  HeartbeatTime: (worker) => optionalMs(worker.heartbeatTime),
  Status: (worker) => statusName(worker.status),
};
const isTime = (name: string): boolean => name.endsWith('Time');

/** INVALID_ARGUMENT for text that is no filter, and names or values that workers do not have. */
export function workerFilter(text: string): (worker: Heartbeat) => boolean {
  const where = readFilter(text);
  return where === null ? () => true : refusing(() => test(where));
}

function test(filter: Filter): (worker: Heartbeat) => boolean {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const operands = filter.operands.map(test);
      return filter.kind === 'and'
        ? (worker) => operands.every((holds) => holds(worker))
        : (worker) => operands.some((holds) => holds(worker));
    }
    case 'not': {
      const operand = test(filter.operand);
      return (worker) => !operand(worker);
    }
    case 'null': {
      const read = column(filter.name);
      return (worker) => (read(worker) === undefined) !== filter.negated;
    }
    case 'in': {
      const read = column(filter.name);
      const values = filter.values.map((value) => literal(filter.name, value));
      return (worker) => values.includes(read(worker) as string | number) !== filter.negated;
    }
    case 'between': {
      const read = column(filter.name);
      const [from, to] = [literal(filter.name, filter.from), literal(filter.name, filter.to)];
      return (worker) => {
        const value = read(worker);
        return value !== undefined && (value >= from && value <= to) !== filter.negated;
      };
    }
    case 'compare':
      return comparison(filter);
  }
}

function comparison({ name, operator, value }: Extract<Filter, { kind: 'compare' }>): (worker: Heartbeat) => boolean {
  const read = column(name);
  const wanted = literal(name, value);
  const compare: Record<typeof operator, (found: string | number) => boolean> = {
    '=': (found) => found === wanted,
    '!=': (found) => found !== wanted,
    '<': (found) => found < wanted,
    '<=': (found) => found <= wanted,
    '>': (found) => found > wanted,
    '>=': (found) => found >= wanted,
    starts_with: (found) => String(found).startsWith(String(wanted)),
    'not starts_with': (found) => !String(found).startsWith(String(wanted)),
  };
  return (worker) => {
    const found = read(worker);
    return found !== undefined && compare[operator](found);
  };
}

function column({ name, position }: Name): (worker: Heartbeat) => Scalar {
  const read = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
  if (read === undefined) throw new FilterError(`invalid expression: '${name}' is not a field of workers`, position);
  return (worker) => read(worker) || undefined;
}

/** Times are compared as ms since the epoch. */
function literal({ name }: Name, { value, position }: Value): string | number {
  if (!isTime(name)) return String(value);
  const at = Date.parse(String(value));
  if (Number.isNaN(at)) {
    throw new FilterError(`invalid expression: unable to parse datetime '${String(value)}'`, position);
  }
  return at;
}
