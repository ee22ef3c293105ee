/** A workflow interceptor module: what `assert` throws in workflow code fails the workflow, without a retry. */
import { AssertionError } from 'node:assert';
import { ApplicationFailure, type WorkflowInterceptors } from '@temporalio/workflow';

async function failing<R>(call: Promise<R>): Promise<R> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    const failure = ApplicationFailure.nonRetryable(error.message);
    failure.stack = error.stack;
    throw failure;
  }
}

export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        handleSignal: (input, next) => failing(next(input)),
        execute: (input, next) => failing(next(input)),
      },
    ],
  };
}
