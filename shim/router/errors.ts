/** What the router itself refuses, as gRPC statuses: Temporal's client makes its own typed errors of them. */
import { type GrpcError, grpcError } from '../client/grpc-error';
import { Code, ServiceError } from '../service/errors';

export { Code };

/** The `code` of Branchline's own is at the beginning of the message, where the status has no place for it. */
export function refusal(status: Code, code: `BRANCHLINE_${string}`, message: string, cause?: unknown): GrpcError {
  return grpcError(new ServiceError(status, `${code}: ${message}`, [], { cause }));
}

export const isGrpcError = (error: unknown): error is GrpcError =>
  typeof (error as { code?: unknown } | null)?.code === 'number';

export const isStatus = (error: unknown, ...codes: Code[]): boolean => isGrpcError(error) && codes.includes(error.code);

/** The engine was not reached. */
export const isOutOfReach = (error: unknown): boolean => isStatus(error, Code.UNAVAILABLE);

/**
 * The engine refused, and will again, so that nothing happened. Anything else may have been answered to a second attempt of the client's own, when the
 * first one was done and its answer lost.
 */
export const isRefusal = (error: unknown): boolean =>
  isStatus(
    error,
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.FAILED_PRECONDITION,
    Code.UNIMPLEMENTED,
  );

/** Between writing the start down and sending it, this process stood still for too long. */
export const outOfDate = (workflowId: string): GrpcError =>
  refusal(
    Code.UNAVAILABLE,
    'BRANCHLINE_ROUTER_START_OUT_OF_DATE',
    `the start of ${workflowId} took too long to be sent and was not sent. Start it again.`,
  );
