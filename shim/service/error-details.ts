/** Service errors as `google.rpc.Status`: what travels in `grpc-status-details-bin`. */
import { google, temporal } from '@temporalio/proto';
import { DatabaseConnectionError, isConnectionLoss } from '../store/errors';
import { Code, type ErrorDetail, ForeignServiceError, ServiceError } from './errors';

type Any = google.protobuf.IAny;
type Status = google.rpc.IStatus;

/** The message types of error details, by name. */
interface MessageType {
  encode(value: object): { finish(): Uint8Array };
}
const detailTypes = temporal.api.errordetails.v1 as unknown as Record<string, MessageType | undefined>;
const ERROR_DETAILS = 'temporal.api.errordetails.v1.';
const MULTI_OPERATION_ABORTED = 'temporal.api.failure.v1.MultiOperationExecutionAborted';

export function encodeDetail({ type, value }: ErrorDetail): Any {
  if (type === MULTI_OPERATION_ABORTED) return { type_url: `type.googleapis.com/${type}`, value: new Uint8Array() };
  const name = type.replace(ERROR_DETAILS, '');
  const messageType = detailTypes[name];
  if (messageType === undefined) throw new TypeError(`No such error detail: ${type}`);
  return {
    type_url: `type.googleapis.com/${ERROR_DETAILS}${name}`,
    value: messageType.encode(value).finish(),
  };
}

/** Details that every error of a code has when it has no others. */
const DETAIL_OF_CODE: Partial<Record<Code, string>> = {
  [Code.NOT_FOUND]: 'NotFoundFailure',
  [Code.PERMISSION_DENIED]: 'PermissionDeniedFailure',
};

function detailsOf({ code, errorDetails }: ServiceError): ErrorDetail[] {
  const type = DETAIL_OF_CODE[code];
  return errorDetails.length === 0 && type !== undefined ? [{ type, value: {} }] : errorDetails;
}

export function statusOf(error: ServiceError): Status {
  return { code: error.code, message: error.details, details: detailsOf(error).map(encodeDetail) };
}

/** The bytes of `grpc-status-details-bin`; undefined for an error without details. */
export function statusDetails(error: ServiceError): Buffer | undefined {
  if (error instanceof ForeignServiceError) return error.status;
  const status = statusOf(error);
  if (!status.details?.length) return undefined;
  const bytes = google.rpc.Status.encode(status).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Anything that was thrown, as a service error: a database out of reach is UNAVAILABLE, faults of our own are INTERNAL and keep their message. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof DatabaseConnectionError || isConnectionLoss(error)) {
    return new ServiceError(Code.UNAVAILABLE, (error as Error).message, [], { cause: error });
  }
  return new ServiceError(Code.INTERNAL, error instanceof Error ? error.message : String(error), [], { cause: error });
}

/** The operation that was not tried because the other one failed. */
export const multiOperationAborted = (): ServiceError =>
  new ServiceError(Code.ABORTED, 'Operation was aborted.', [{ type: MULTI_OPERATION_ABORTED, value: {} }]);

/** The error of a multi-operation: one status per operation, null = it succeeded. Its code is that of the first real failure. */
export function multiOperationError(errors: (ServiceError | null)[]): ServiceError {
  const failed = errors.find((error) => error !== null && error.code !== Code.ABORTED);
  return new ServiceError(failed?.code ?? Code.ABORTED, 'Update-with-Start could not be executed.', [
    {
      type: 'MultiOperationExecutionFailure',
      value: { statuses: errors.map((error) => (error === null ? { code: 0 } : statusOf(error))) },
    },
  ]);
}
