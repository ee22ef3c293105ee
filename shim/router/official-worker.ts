/** `@temporalio/worker`, for the side that is on Temporal: the one place where it is loaded, and only when it is asked for. */
import { BranchlineError } from '../common/errors';

/** As much of it as is used; its own types would bind those who have it not. */
export interface OfficialWorkerPackage {
  Runtime: { install(options: object): unknown };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- only to ask what was made by it
  NativeConnection: { connect(options: object): Promise<{ close(): Promise<void> }>; new (...args: any): object };
  Worker: {
    create(options: object): Promise<{ run(): Promise<void>; shutdown(): void; getState(): string }>;
  };
}

/** @throws BranchlineError BRANCHLINE_ROUTER_WORKER_PACKAGE */
export async function officialWorkerPackage(): Promise<OfficialWorkerPackage> {
  try {
    return (await import('@temporalio/worker')) as unknown as OfficialWorkerPackage;
  } catch (error) {
    throw new BranchlineError(
      'BRANCHLINE_ROUTER_WORKER_PACKAGE',
      `A worker for Temporal needs @temporalio/worker, which could not be loaded (${(error as Error).message}). Install it, or give no engine on Temporal here.`,
      { cause: error },
    );
  }
}
