/**
 * What an application gives to Temporal's packages, our drop-ins take: compiled by `npm run typecheck`, never run. Our options may take
 * more (a Postgres URL), never less. What is refused is refused at run time, by name.
 */
import type * as client from '@temporalio/client';
import type * as worker from '@temporalio/worker';
import type * as ourClient from '../../shim/client';
import type * as ourWorker from '../../shim/worker';

/** A compile error unless `Theirs` can be given where `Ours` is asked for. */
type Takes<Ours, Theirs extends Ours> = [Ours, Theirs];

// Objects of the package itself: an application has ours in their place.
type TheirConnections = 'connection' | 'plugins';

export type Checks = [
  Takes<ourClient.ClientOptions, client.ClientOptions>,
  Takes<ourClient.WorkflowStartOptions, client.WorkflowStartOptions>,
  Takes<ourClient.WorkflowClientOptions, client.WorkflowClientOptions>,
  Takes<Omit<ourClient.ConnectionOptions, 'plugins'>, Omit<client.ConnectionOptions, 'plugins'>>,
  Takes<client.ConnectionLike, ourClient.Connection>,
  Takes<client.Client, ourClient.Client>,
  Takes<Omit<ourWorker.WorkerOptions, TheirConnections>, Omit<worker.WorkerOptions, TheirConnections>>,
  Takes<Omit<ourWorker.ReplayWorkerOptions, 'plugins'>, Omit<worker.ReplayWorkerOptions, 'plugins'>>,
  Takes<Omit<ourWorker.NativeConnectionOptions, 'plugins'>, Omit<worker.NativeConnectionOptions, 'plugins'>>,
  Takes<ourWorker.BundleOptions, worker.BundleOptions>,
  Takes<ourWorker.RuntimeOptions, worker.RuntimeOptions>,
  Takes<ourWorker.WorkerInterceptors, worker.WorkerInterceptors>,
  Takes<ourWorker.InjectedSinks<worker.LoggerSinks>, worker.InjectedSinks<worker.LoggerSinks>>,
  Takes<ourWorker.ReplayHistoriesIterable, worker.ReplayHistoriesIterable>,
  // What comes back is at least what Temporal's give.
  Takes<worker.WorkerStatus, ourWorker.WorkerStatus>,
  Takes<worker.ReplayResult, ourWorker.ReplayResult>,
  Takes<worker.WorkflowBundleWithSourceMap, ourWorker.WorkflowBundleWithSourceMap>,
  Takes<keyof ourWorker.Worker, keyof worker.Worker>,
  Takes<keyof typeof ourWorker.Worker, keyof typeof worker.Worker>,
  Takes<keyof ourWorker.NativeConnection, keyof worker.NativeConnection>,
  // The other names of Runtime and Connection are insides of Temporal's that are public by accident.
  Takes<keyof ourWorker.Runtime, keyof Pick<worker.Runtime, 'logger' | 'metricMeter' | 'options' | 'flushLogs'>>,
  Takes<keyof ourClient.Connection, keyof client.Connection>,
  Takes<keyof typeof ourClient.Connection, Exclude<keyof typeof client.Connection, 'Client'>>,
];
