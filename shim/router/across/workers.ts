/** What workers need so that children of their workflows may live on other engines. */
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { BranchlineOptionError } from '../../common/errors';
import type { WorkerOptions } from '../../worker';
import { routedActivities } from '../elsewhere/activities';
import { acrossActivities } from './activities';

export interface AcrossOptions {
  /**
   * A client on a RoutedConnection, with the workers' data converter: children go where rules with `children: true` say, and signals to ids that
   * are not on the engine of the workflow reach them. Not with `workflowBundle`, which lacks the workflow code for it.
   */
  across?: Client;
}

const ours = [path.join(__dirname, 'interceptors')];

/** @throws BranchlineOptionError */
export function withAcross<O extends WorkerOptions>(across: Client | undefined, engine: string, options: O): O {
  if (across === undefined) return options;
  const { interceptors, workflowBundle, activities, namespace = 'default' } = options;
  if (workflowBundle !== undefined) {
    throw new BranchlineOptionError(
      'across',
      "it needs 'workflowsPath': with 'workflowBundle' its interceptors are not in the bundle.",
    );
  }
  return {
    ...options,
    activities: { ...activities, ...routedActivities(across), ...acrossActivities(across, engine, namespace) },
    interceptors: {
      ...interceptors,
      // The innermost: what others do around a workflow is done around what stands for it.
      workflowModules: [...(interceptors?.workflowModules ?? []), ...ours],
    },
  };
}
