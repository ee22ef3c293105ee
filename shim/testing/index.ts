/**
 * Drop-in for `@temporalio/testing`: the same names, on Postgres and without a server process.
 *
 * ```ts
 * import { TestWorkflowEnvironment } from 'branchline/testing';
 * const env = await TestWorkflowEnvironment.createTimeSkipping();
 * const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: 'test', workflowsPath });
 * await worker.runUntil(env.client.workflow.execute(yearOfBilling, { taskQueue: 'test', workflowId: 'w' }));
 * await env.teardown();
 * ```
 * @module
 */
import '../common/sdk-version';
import path from 'node:path';

export { BranchlineError, BranchlineOptionError } from '../common/errors';
export { type ClientOptionsForTestEnv, TimeSkippingWorkflowClient } from './client';
export {
  defaultActivityInfo,
  MockActivityEnvironment,
  type MockActivityEnvironmentOptions,
} from './mock-activity-environment';
export type { DevServerConfig, EphemeralServerExecutable, TimeSkippingServerConfig } from './server-options';
export type { TestContainerOptions, TestPostgresOptions } from './postgres-options';
export {
  type ExistingServerConnectionOptions,
  type ExistingServerTestWorkflowEnvironmentOptions,
  type LocalTestWorkflowEnvironmentOptions,
  type NexusEndpointIdentifier,
  TestWorkflowEnvironment,
  type TimeSkippingTestWorkflowEnvironmentOptions,
} from './workflow-environment';

/** Workflow interceptors that turn an `AssertionError` of workflow code into a failure without retries. */
export const workflowInterceptorModules = [path.join(__dirname, 'assert-to-failure-interceptor')];
