/** The shape and order of what lang is sent. */
import type { temporal } from '@temporalio/proto';
import type { Activation, ActivationJob, EvictionReason } from './types';

/** Id of the query that comes in a task's `query` field and is answered by its own RPC. */
export const LEGACY_QUERY_ID = 'legacy_query';

/** Lang's order of jobs; those of one rank keep the order of history. */
function rank(job: ActivationJob): number {
  switch (job.variant) {
    case 'initializeWorkflow':
      return 0;
    case 'notifyHasPatch':
      return 1;
    case 'updateRandomSeed':
      return 2;
    case 'signalWorkflow':
    case 'doUpdate':
      return 3;
    case 'resolveActivity':
      return job.resolveActivity?.isLocal ? 5 : 4;
    case 'queryWorkflow':
      return 6;
    case 'removeFromCache':
      return 7;
    default:
      return 4;
  }
}

/** Sorts the jobs in place into the order that lang expects; gives them back. */
export function inOrder(jobs: ActivationJob[]): ActivationJob[] {
  return jobs.length < 2 ? jobs : jobs.sort((a, b) => rank(a) - rank(b));
}

export function isLocalResolution(job: ActivationJob): boolean {
  return job.variant === 'resolveActivity' && job.resolveActivity?.isLocal === true;
}

export function queryJob(queryId: string, query: temporal.api.query.v1.IWorkflowQuery): ActivationJob {
  return {
    variant: 'queryWorkflow',
    queryWorkflow: {
      queryId,
      queryType: query.queryType ?? '',
      arguments: query.queryArgs?.payloads ?? [],
      headers: query.header?.fields ?? {},
    },
  };
}

export function evictionActivation(
  runId: string,
  reason: EvictionReason,
  message: string,
  historyLength: number,
): Activation {
  const job: ActivationJob = { variant: 'removeFromCache', removeFromCache: { message, reason } };
  return { runId, isReplaying: false, historyLength, jobs: [job], availableInternalFlags: [] };
}
