/** Drives workflow code by activations, as the core does: jobs in, commands out. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { coresdk, temporal } from '@temporalio/proto';
import { bundleWorkflowCode } from '../../shim/worker/bundler/bundle';
import type { BundleOptions } from '../../shim/worker/bundler/options';
import type {
  ActivationResult,
  WorkflowBundle,
  WorkflowCreateOptions,
  WorkflowHost,
} from '../../shim/worker/isolate/types';

type Payload = temporal.api.common.v1.IPayload;
type Job = coresdk.workflow_activation.IWorkflowActivationJob;
type Activation = coresdk.workflow_activation.IWorkflowActivation;
export type Command = coresdk.workflow_commands.IWorkflowCommand;

/** Writes the files to a new folder (outside of any package) and returns it. */
export function sourceFolder(files: Record<string, string>): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'branchline-workflows-')));
  for (const [name, source] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), source);
  }
  return folder;
}

/** Bundles `workflows.ts` of that text; further files may stand beside it. */
export async function bundleOf(
  source: string,
  files: Record<string, string> = {},
  options: Partial<BundleOptions> = {},
): Promise<WorkflowBundle> {
  const folder = sourceFolder({ 'workflows.ts': source, ...files });
  const { code } = await bundleWorkflowCode({ workflowsPath: path.join(folder, 'workflows.ts'), ...options });
  return { code, filename: path.join(folder, 'workflow-bundle.js') };
}

export function payload(value: unknown): Payload {
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) };
}

export function decoded(value: Payload | null | undefined): unknown {
  return value?.data == null ? undefined : JSON.parse(Buffer.from(value.data).toString('utf8'));
}

/** One run and the activations it has had. */
export class DrivenRun {
  now = 1_700_000_000_000;
  isReplaying = false;
  /** Given to the first activation only, as the core does with flags of the first workflow task. */
  availableInternalFlags: number[] = [];
  lastResult: ActivationResult | undefined;

  constructor(
    readonly host: WorkflowHost,
    readonly runId: string,
  ) {}

  async start(
    workflowType: string,
    args: unknown[] = [],
    create: Partial<WorkflowCreateOptions> = {},
    jobs: Job[] = [],
  ): Promise<Command[]> {
    const date = new Date(this.now);
    await this.host.create(this.runId, {
      info: {
        workflowType,
        workflowId: `id-of-${this.runId}`,
        runId: this.runId,
        firstExecutionRunId: this.runId,
        namespace: 'default',
        taskQueue: 'queue',
        attempt: 1,
        memo: {},
        searchAttributes: {},
        historyLength: 3,
        historySize: 0,
        startTime: date,
        runStartTime: date,
        unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
      } as never,
      randomnessSeed: [1, 2, 3, 4, 5, 6, 7, 8],
      now: this.now,
      showStackTraceSources: false,
      failureExceptionTypeNames: [],
      ...create,
    });
    return this.activate({ initializeWorkflow: { arguments: args.map(payload), headers: {} } }, ...jobs);
  }

  /** Commands of a successful activation; throws the failure of a failed one. */
  async activate(...jobs: Job[]): Promise<Command[]> {
    const { completion } = await this.complete(...jobs);
    if (completion.failed != null)
      throw Object.assign(new Error(completion.failed.failure?.message ?? ''), completion.failed);
    return completion.successful?.commands ?? [];
  }

  async complete(...jobs: Job[]): Promise<ActivationResult> {
    const { now, runId, isReplaying, availableInternalFlags } = this;
    const timestamp = { seconds: Math.floor(now / 1000) as never, nanos: (now % 1000) * 1e6 };
    const activation: Activation = { runId, timestamp, isReplaying, historyLength: 3, availableInternalFlags, jobs };
    this.lastResult = await this.host.activate(runId, activation);
    return this.lastResult;
  }

  fireTimer(seq: number): Promise<Command[]> {
    return this.activate({ fireTimer: { seq } });
  }

  signal(signalName: string, ...args: unknown[]): Promise<Command[]> {
    return this.activate(signalJob(signalName, ...args));
  }

  async query(queryType: string, ...args: unknown[]): Promise<unknown> {
    const job = { queryWorkflow: { queryId: 'q', queryType, arguments: args.map(payload), headers: {} } };
    const [command] = await this.activate(job);
    const { succeeded, failed } = command?.respondToQuery ?? {};
    if (failed != null) throw new Error(failed.message ?? '');
    return decoded(succeeded?.response);
  }
}

export function signalJob(signalName: string, ...args: unknown[]): Job {
  return { signalWorkflow: { signalName, input: args.map(payload), headers: {}, identity: 'test' } };
}

/** What the workflow returned, when it has. */
export function resultOf(commands: Command[]): unknown {
  const done = commands.find(({ completeWorkflowExecution }) => completeWorkflowExecution != null);
  return decoded(done?.completeWorkflowExecution?.result);
}
