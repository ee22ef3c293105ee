/** The standard gRPC health service: serving while the database answers. */
import type { HealthService } from '@temporalio/client';
import { grpc } from '@temporalio/proto';

const { HealthCheckResponse } = grpc.health.v1;

/** `check` fails when the database cannot be reached. `watch` is a stream, which the TypeScript client does not have either. */
export function healthService(reach: () => Promise<unknown>): HealthService {
  const check = async (): Promise<object> => {
    await reach();
    return HealthCheckResponse.create({ status: HealthCheckResponse.ServingStatus.SERVING });
  };
  return { check } as unknown as HealthService;
}
