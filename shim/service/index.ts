/** The service: Temporal's server on a store. */
import { BatchJobs } from '../maintenance/batch-jobs';
import { DueRuns } from '../maintenance/due-runs';
import { Drainage, type DrainageTimes } from '../maintenance/drainage';
import { DueSchedules } from '../maintenance/due-schedules';
import { Retention } from '../maintenance/retention';
import { TimeSkipping } from '../maintenance/time-skipping';
import { openStore } from '../store/open';
import type { Store, StoreOptions } from '../store/types';
import { Deployments } from './deployments/deployments';
import { engine as defaultEngine, defaultLimits } from './engine';
import type { Engine } from './engine/api';
import type { Limits } from './engine/types';
import { callInTransaction } from './callers/calls';
import { Mailbox } from './callers/mailbox';
import { Code, ServiceError } from './errors';
import { uuidv7 } from './ids';
import { LimitLog, type Warn, warnOnStderr } from './limit-log';
import { TaskMatching } from './matching/matching';
import { NamespaceCache } from './namespace-cache';
import { Outage } from './outage';
import { denied, mayNotWork } from './permission';
import { type RpcHandler, rpcTable } from './rpc-table';
import { logFence } from './restore/fence-log';
import { refuseFenced } from './restore/fenced-calls';
import { RunRegistry } from './runs/registry';
import { Schedules } from './schedules/schedules';
import { ScheduledWorkflows } from './schedules/workflows';
import { Starter } from './start';
import { CurrentRuns } from './target';
import { testingRpcs } from './testing';
import { Transfers } from './transfers/transfers';
import type { CallContext, Service } from './types';
import type { WorkerParts } from './workflow-tasks';

export interface ServiceOptions {
  store: Store;
  /** Default: the engine. */
  engine?: Engine;
  /** Default: Temporal's. */
  limits?: Partial<Limits>;
  /** Told of what goes over a warning limit, and of the fence after a restore. Default: a line on stderr. */
  warn?: Warn;
  /** Runs kept in memory: at most this many, taking about this many bytes of the heap. Default 5,000 and 96 MiB. */
  maxRuns?: number;
  maxBytes?: number;
  /** A test environment's clock: time can be skipped, and closed runs are kept. Default false. */
  timeSkipping?: boolean;
  /** When versions that get no new runs are looked at for pinned ones, ms. Default: 3 minutes after the change, and every 3 minutes. */
  versionDrainage?: DrainageTimes;
}

export function createService(options: ServiceOptions): Service {
  const { store, engine = defaultEngine } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const namespaces = new NamespaceCache(store);
  const namespace: NamespaceCache['get'] = (name) => namespaces.get(name);
  const warn = options.warn ?? warnOnStderr;
  const limitLog = new LimitLog(warn);
  const deployments: Deployments = new Deployments({
    store,
    limits,
    routingChanged: (queues, own) => matching.routingChanged(queues, own),
  });
  const runs = new RunRegistry({
    store,
    engine,
    limits,
    newId: uuidv7,
    warn: (state, warnings) => limitLog.report(state, warnings),
    searchAttributeTypes: (id) => namespaces.searchAttributeTypes(id),
    routing: (id) => deployments.routing(id),
    maxRuns: options.maxRuns,
    maxBytes: options.maxBytes,
  });
  const matching: TaskMatching = new TaskMatching({ store, engine, runs, namespace, newId: uuidv7, deployments });
  const parts: WorkerParts = { store, engine, runs, matching, namespace, newId: uuidv7, limits };
  const current = new CurrentRuns(parts);
  const scheduleParts = { ...parts, current, starter: new Starter(parts, current) };
  const schedules = new Schedules(scheduleParts, new ScheduledWorkflows(scheduleParts), (key, dueAtMs) =>
    dueSchedules.planned(key, dueAtMs),
  );
  const dueSchedules: DueSchedules = new DueSchedules(store, schedules);
  const transfers = new Transfers(
    {
      ...parts,
      scheduledChainEnded: (scheduleId, run) => schedules.ended(scheduleId, run),
    },
    (runId) => dueRuns.later(runId),
  );
  const dueRuns: DueRuns = new DueRuns({
    store,
    engine,
    runs,
    redispatch: (t, change) => matching.redispatch(t, change),
    followAll: (run) => transfers.followAll(run),
  });
  runs.connect({
    dispatch: (t, change) => matching.dispatch(t, change),
    redispatch: (t, change) => matching.redispatch(t, change),
    follow: (run, effect) => transfers.follow(run, effect),
    committed: (run) => {
      dueRuns.committed(run);
      matching.admissions.moved(run.runId, run.state);
      skipping?.moved();
    },
    lost: (runId) => dueRuns.lost(runId),
    deliver: (runId) => mailbox.deliver(runId),
  });
  const mailbox: Mailbox = new Mailbox(store, engine, runs);
  const skipping: TimeSkipping | null = options.timeSkipping
    ? new TimeSkipping({ store, engine, runs, matching, dueRuns, dueSchedules })
    : null;
  const rpcs = rpcTable(parts, { schedules, deployments, batchStarted: () => batchJobs.look() });
  const batchJobs: BatchJobs = new BatchJobs(
    store,
    <R extends object>(method: string, request: object) => rpcs.get(method)!(request, { metadata: {} }) as Promise<R>,
  );
  for (const [name, rpc] of Object.entries(testingRpcs(store, skipping))) rpcs.set(name, rpc as RpcHandler);
  dueRuns.start();
  dueSchedules.start();
  mailbox.start();
  const retention = new Retention(store);
  if (skipping === null) retention.start();
  batchJobs.look();
  const drainage = new Drainage(store, deployments, options.versionDrainage);
  const outage = new Outage(store);
  const endFenceLog = logFence(store, warn);

  return {
    parts,
    call(method: string, request: object, ctx: CallContext): Promise<object> {
      try {
        const rpc = rpcs.get(method);
        if (rpc === undefined) throw new ServiceError(Code.UNIMPLEMENTED, `Branchline does not answer ${method}.`);
        outage.check();
        if (store.fence.raised) refuseFenced(method);
        // A poll that was given up would still be handed a task; polls end by themselves.
        if (isTaskPoll(method) && !store.rights.work) throw mayNotWork();
        const answer = () => (isTaskPoll(method) ? rpc(request, ctx) : outage.bound(rpc(request, ctx)).catch(refuse));
        return deployments.loaded ? answer() : deployments.ready.then(answer);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    async callWithin(client, method, request, ctx): Promise<object> {
      outage.check();
      return callInTransaction(parts, client, method, request, () => this.call(method, request, ctx));
    },
    transactions: store,
    /** Ends polls and loops and gives this process's unstarted work to others. The store stays open: it is the caller's. */
    async close(): Promise<void> {
      skipping?.close();
      dueRuns.close();
      dueSchedules.close();
      mailbox.close();
      retention.close();
      deployments.close();
      drainage.close();
      endFenceLog();
      try {
        await outage.bound(
          batchJobs
            .close()
            .then(() => matching.close())
            .then(() => runs.close()),
        );
      } catch (error) {
        // Without a database nothing can be given back in order: others take it over when this process's lease has run out.
        if (!(error instanceof ServiceError && error.code === Code.UNAVAILABLE)) throw error;
      } finally {
        outage.close();
      }
    },
  };
}

const refuse = (error: unknown): never => {
  throw denied(error) ?? error;
};

const isTaskPoll = (method: string): boolean =>
  method === 'pollWorkflowTaskQueue' || method === 'pollActivityTaskQueue';

/** Opens the store (migrating it) and a service on it; closing the service closes both. */
export async function openService(options: StoreOptions & Omit<ServiceOptions, 'store'>): Promise<Service> {
  const store = await openStore(options);
  const service = createService({ ...options, store });
  return {
    ...service,
    async close(): Promise<void> {
      try {
        await service.close();
      } finally {
        await store.close();
      }
    },
  };
}
