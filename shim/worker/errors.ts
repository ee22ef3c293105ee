/** Errors of the worker, by Temporal's names. They are recognised across copies of the SDK by a registered symbol. */
import { IllegalStateError } from '@temporalio/common';
import { SymbolBasedInstanceOfError } from '@temporalio/common/lib/type-helpers';

/** The worker has been shut down. */
export class ShutdownError extends Error {}
SymbolBasedInstanceOfError('ShutdownError')(ShutdownError);

/** The connection could not be made or was lost. */
export class TransportError extends Error {}
SymbolBasedInstanceOfError('TransportError')(TransportError);

/** Something happened that must not: fatal to the worker. */
export class UnexpectedError extends Error {
  constructor(
    message: string,
    public override readonly cause?: unknown,
  ) {
    super(message);
  }
}
SymbolBasedInstanceOfError('UnexpectedError')(UnexpectedError);

/** The worker did not shut down within `shutdownForceTime`. */
export class GracefulShutdownPeriodExpiredError extends Error {}
SymbolBasedInstanceOfError('GracefulShutdownPeriodExpiredError')(GracefulShutdownPeriodExpiredError);

/** A promise in workflow code was rejected with nobody to catch it; `cause` is what it was rejected with. */
export class UnhandledRejectionError extends Error {
  constructor(
    message: string,
    public override cause: unknown,
  ) {
    super(message);
  }
}
SymbolBasedInstanceOfError('UnhandledRejectionError')(UnhandledRejectionError);

/** Of a promise that is not of workflow code's realm, so that no run can be named. */
export function rejectionOfUnknownRun(reason: unknown): UnhandledRejectionError {
  const message = `Unhandled Promise rejection for unknown Workflow Run id='undefined': ${String(reason)}`;
  return new UnhandledRejectionError(message, reason);
}

/** Both errors of a {@link Worker.runUntil} that failed twice. */
export interface CombinedWorkerRunErrorCause {
  /** What the worker threw. */
  workerError: unknown;
  /** What the wrapped promise or function threw. */
  innerError: unknown;
}

/** Thrown by {@link Worker.runUntil} and {@link Worker.runReplayHistories} when worker and inner promise both failed. */
export class CombinedWorkerRunError extends Error {
  public override readonly cause: CombinedWorkerRunErrorCause;

  constructor(message: string, { cause }: { cause: CombinedWorkerRunErrorCause }) {
    super(message);
    this.cause = cause;
  }
}
SymbolBasedInstanceOfError('CombinedWorkerRunError')(CombinedWorkerRunError);

/** {@link Worker.runUntil}: the worker has stopped and the promise did not settle within `promiseCompletionTimeout`. */
export class PromiseCompletionTimeoutError extends Error {}
SymbolBasedInstanceOfError('PromiseCompletionTimeoutError')(PromiseCompletionTimeoutError);

/** @deprecated Import the classes directly. */
export const errors = {
  IllegalStateError,
  ShutdownError,
  TransportError,
  UnexpectedError,
  GracefulShutdownPeriodExpiredError,
};
