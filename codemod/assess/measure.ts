/** What a running Temporal server tells of each workflow type: counts from its visibility, the rest from histories of some runs. */
import type { WorkflowService } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { figuresOf, type HistoryFigures, quantile } from './history-figures';

export interface MeasureOptions {
  service: WorkflowService;
  namespace: string;
  /** Starts are counted since then, ms. */
  windowMs: number;
  /** Closed runs of a type whose histories are read, the newest first. */
  sample: number;
  now?: number;
}

export interface Measured {
  /** Runs that began in the window. */
  starts: number;
  startsPerSecond: number;
  /** Runs open now, and the ages of those that were listed (1,000 at most), ms. */
  open: { count: number; medianAgeMs?: number; oldestAgeMs?: number };
  /** Histories read; without any the figures below are left out. */
  histories: number;
  historyLength?: { p50: number; p99: number };
  /** Bytes of single payloads. */
  payloadBytes?: { p50: number; largest: number };
  /** Bytes of all payloads of a run. */
  payloadBytesPerRun?: number;
  activitiesPerRun?: { p50: number; most: number };
  /** Activities and children of one run that were under way at once. */
  widest?: number;
}

export interface Measurement {
  namespace: string;
  windowMs: number;
  types: Record<string, Measured>;
}

const PAGE = 1000;

/** @throws ServiceError of the server */
export async function measure(types: readonly string[], options: MeasureOptions): Promise<Measurement> {
  const { namespace, windowMs } = options;
  const measured: Measurement = { namespace, windowMs, types: {} };
  for (const type of types) measured.types[type] = await measureType(type, options);
  return measured;
}

async function measureType(
  type: string,
  { service, namespace, windowMs, sample, now = Date.now() }: MeasureOptions,
): Promise<Measured> {
  const ofType = `WorkflowType = '${type.replaceAll("'", "''")}'`;
  const count = async (query: string): Promise<number> =>
    Number((await service.countWorkflowExecutions({ namespace, query })).count ?? 0);
  const running = `${ofType} AND ExecutionStatus = 'Running'`;
  const starts = await count(`${ofType} AND StartTime >= '${new Date(now - windowMs).toISOString()}'`);
  const openCount = await count(running);
  const { executions: open } = await service.listWorkflowExecutions({ namespace, query: running, pageSize: PAGE });
  const ages = (open ?? []).flatMap(({ startTime }) => (startTime ? [now - Number(startTime.seconds) * 1000] : []));
  const { executions: closed } = await service.listWorkflowExecutions({
    namespace,
    query: `${ofType} AND ExecutionStatus != 'Running'`,
    pageSize: sample,
  });
  const figures: HistoryFigures[] = [];
  for (const { execution } of (closed ?? []).slice(0, sample))
    figures.push(figuresOf(await eventsOf(service, namespace, execution)));
  return {
    starts,
    startsPerSecond: starts / (windowMs / 1000),
    open: {
      count: openCount,
      ...(ages.length === 0 ? {} : { medianAgeMs: quantile(ages, 0.5), oldestAgeMs: Math.max(...ages) }),
    },
    histories: figures.length,
    ...(figures.length === 0 ? {} : ofHistories(figures)),
  };
}

function ofHistories(figures: readonly HistoryFigures[]): Partial<Measured> {
  const lengths = figures.map(({ events }) => events);
  const payloads = figures.flatMap(({ payloadBytes }) => payloadBytes);
  const activities = figures.map((one) => one.activities);
  return {
    historyLength: { p50: quantile(lengths, 0.5), p99: quantile(lengths, 0.99) },
    payloadBytes: { p50: quantile(payloads, 0.5), largest: Math.max(0, ...payloads) },
    payloadBytesPerRun: Math.round(payloads.reduce((sum, bytes) => sum + bytes, 0) / figures.length),
    activitiesPerRun: { p50: quantile(activities, 0.5), most: Math.max(...activities) },
    widest: Math.max(...figures.map((one) => one.widest)),
  };
}

async function eventsOf(
  service: WorkflowService,
  namespace: string,
  execution: temporal.api.common.v1.IWorkflowExecution | null | undefined,
): Promise<temporal.api.history.v1.IHistoryEvent[]> {
  const events: temporal.api.history.v1.IHistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await service.getWorkflowExecutionHistory({
      namespace,
      execution: execution ?? null,
      ...(nextPageToken && { nextPageToken }),
    });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
  return events;
}
