/** The service's errors as gRPC clients see them: code, details, and metadata with `grpc-status-details-bin`. */
import { createRequire } from 'node:module';
import type { Metadata } from '@grpc/grpc-js';
import { statusDetails } from '../service/error-details';
import { Code, ServiceError } from '../service/errors';

// The copy that @temporalio/client uses, wherever the package manager put it.
const { Metadata: GrpcMetadata } = createRequire(require.resolve('@temporalio/client'))(
  '@grpc/grpc-js',
) as typeof import('@grpc/grpc-js');

/** What @temporalio/client recognises as an error of the server. */
export interface GrpcError extends Error {
  code: number;
  details: string;
  metadata: Metadata;
}

export function grpcError(error: ServiceError): GrpcError {
  const metadata = new GrpcMetadata();
  const details = statusDetails(error);
  if (details !== undefined) metadata.set('grpc-status-details-bin', details);
  return Object.assign(new Error(error.message, { cause: error.cause }), {
    code: error.code as number,
    details: error.details,
    metadata,
  });
}

export const deadlineExceeded = (): ServiceError => new ServiceError(Code.DEADLINE_EXCEEDED, 'Deadline exceeded');
export const cancelled = (): ServiceError => new ServiceError(Code.CANCELLED, 'Cancelled on client');
