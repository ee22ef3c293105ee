/** Errors of the service: gRPC statuses as @temporalio/client and grpc-js know them. */

/** gRPC status codes that the service uses. */
export enum Code {
  CANCELLED = 1,
  UNKNOWN = 2,
  INVALID_ARGUMENT = 3,
  DEADLINE_EXCEEDED = 4,
  NOT_FOUND = 5,
  ALREADY_EXISTS = 6,
  PERMISSION_DENIED = 7,
  RESOURCE_EXHAUSTED = 8,
  FAILED_PRECONDITION = 9,
  ABORTED = 10,
  OUT_OF_RANGE = 11,
  UNIMPLEMENTED = 12,
  INTERNAL = 13,
  UNAVAILABLE = 14,
  DATA_LOSS = 15,
  UNAUTHENTICATED = 16,
}

/** A typed detail of `grpc-status-details-bin`: message name in temporal.api.errordetails.v1 and its fields. */
export interface ErrorDetail {
  type: string;
  value: Record<string, unknown>;
}

/** A refused request. `details` is the sentence for the caller; the client layer adds gRPC metadata from `errorDetails`. */
export class ServiceError extends Error {
  constructor(
    readonly code: Code,
    readonly details: string,
    readonly errorDetails: ErrorDetail[] = [],
    options?: ErrorOptions,
  ) {
    super(`${code} ${Code[code]}: ${details}`, options);
    this.name = 'ServiceError';
  }
}

/** An error of another server; `status` are the bytes of its `grpc-status-details-bin`, which go on as they are. */
export class ForeignServiceError extends ServiceError {
  constructor(
    code: Code,
    details: string,
    readonly status: Buffer | undefined,
    cause: unknown,
  ) {
    super(code, details, [], { cause });
  }
}

export const notFound = (details: string, errorDetails?: ErrorDetail[]): ServiceError =>
  new ServiceError(Code.NOT_FOUND, details, errorDetails);
export const invalidArgument = (details: string): ServiceError => new ServiceError(Code.INVALID_ARGUMENT, details);
export const failedPrecondition = (details: string): ServiceError =>
  new ServiceError(Code.FAILED_PRECONDITION, details);
export const resourceExhausted = (details: string): ServiceError => new ServiceError(Code.RESOURCE_EXHAUSTED, details);
/** The run cannot take the request in its present state; Temporal's WorkflowNotReady. */
export const workflowNotReady = (details: string): ServiceError =>
  new ServiceError(Code.FAILED_PRECONDITION, details, [{ type: 'WorkflowNotReadyFailure', value: {} }]);
export const unimplemented = (details: string): ServiceError => new ServiceError(Code.UNIMPLEMENTED, details);
