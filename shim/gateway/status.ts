/** Errors of the service as gRPC statuses on the wire. */
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { statusDetails, toServiceError } from '../service/error-details';
import type { ServiceError } from '../service/errors';

export type GrpcStatus = Pick<StatusObject, 'code' | 'details'> & { metadata: Metadata };

export function grpcStatus(thrown: unknown): GrpcStatus {
  const error: ServiceError = toServiceError(thrown);
  const metadata = new Metadata();
  const details = statusDetails(error);
  if (details !== undefined) metadata.set('grpc-status-details-bin', details);
  return { code: error.code as number, details: error.details, metadata };
}
