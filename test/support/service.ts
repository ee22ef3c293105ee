/** Services for tests: each on a store of its own, so that two of them on one schema are two processes. */
import { createService, type ServiceOptions } from '../../shim/service';
import type { Service } from '../../shim/service/types';
import type { StoreOptions } from '../../shim/store/types';
import { afterTest, freshSchema, testStore, type TestSchema } from './database';
import { watchHistories } from './histories';
import { PollingWorker, type PollingWorkerOptions } from './polling-worker';

export async function testService(
  database: TestSchema = freshSchema(),
  options: StoreOptions = {},
  more: Partial<ServiceOptions> = {},
): Promise<Service> {
  const store = await testStore(options, database);
  watchHistories(database);
  const service = createService({ store, ...more });
  afterTest(() => service.close());
  return service;
}

/** A worker that is shut down after the test. */
export function testWorker(options: PollingWorkerOptions): PollingWorker {
  const worker = new PollingWorker(options);
  afterTest(() => worker.shutdown());
  return worker;
}
