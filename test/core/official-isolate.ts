/** Runs workflow code in the official SDK's own VM, so that the core is judged by the runtime it must serve. */
import { bundleWorkflowCode } from '@temporalio/worker';
import { VMWorkflowCreator } from '@temporalio/worker/lib/workflow/vm';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker';
import Long from 'long';
import { coresdk } from '@temporalio/proto';
import { workflowInfo } from '../../shim/core';
import type { Activation, ActivationCompletion } from '../../shim/core';

export interface OfficialIsolate {
  activate(activation: Activation): Promise<ActivationCompletion>;
  dispose(): Promise<void>;
}

export interface OfficialBundle {
  /** An isolate for one run; its workflow is created by the first activation. */
  isolate(taskQueue?: string): OfficialIsolate;
}

/** Bundles workflows from a file (webpack: some seconds). */
export async function officialBundle(
  workflowsPath: string,
  activityNames: string[] = [],
  nodeModules?: string,
): Promise<OfficialBundle> {
  const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger,
    webpackConfigHook: (config) =>
      nodeModules === undefined
        ? config
        : {
            ...config,
            resolve: { ...config.resolve, modules: [nodeModules] },
            resolveLoader: { modules: [nodeModules] },
          },
  });
  const creator = await VMWorkflowCreator.create(parseWorkflowCode(code), 10_000, new Set(activityNames));
  return {
    isolate(taskQueue = 'test') {
      let workflow: Awaited<ReturnType<VMWorkflowCreator['createWorkflow']>> | undefined;
      return {
        async activate(activation) {
          const start = activation.jobs?.find((job) => job.initializeWorkflow)?.initializeWorkflow;
          if (start) {
            const info = workflowInfo(activation, { namespace: 'default', taskQueue });
            workflow = await creator.createWorkflow({
              info,
              now: info.runStartTime.getTime(),
              randomnessSeed: (start.randomnessSeed as Long).toBytes(),
              showStackTraceSources: false,
              failureExceptionTypeNames: [],
            });
          }
          if (workflow === undefined) throw new Error('The first activation must initialise the workflow');
          return workflow.activate(withLongs(activation));
        },
        async dispose() {
          await workflow?.dispose();
        },
      };
    },
  };
}

/** The official host reads Longs where our messages have plain numbers; our own host turns them itself. */
function withLongs(activation: Activation): coresdk.workflow_activation.WorkflowActivation {
  return coresdk.workflow_activation.WorkflowActivation.fromObject(activation);
}
