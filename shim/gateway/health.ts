/** grpc.health.v1 for all services at once: serving until the gateway closes. Needs no API key: probes have none. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { grpc } from '@temporalio/proto';
import { Code, ServiceError } from '../service/errors';
import { grpcStatus } from './status';

const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;

const encoded = (status: number): Buffer => HealthCheckResponse.encode({ status }).finish() as Buffer;

export class Health {
  private serving = true;
  private readonly watchers = new Set<ServerWritableStream<Buffer, Buffer>>();

  /** `services`: the names that may be asked about; '' means the whole server. */
  constructor(private readonly services: ReadonlySet<string>) {}

  readonly implementation: UntypedServiceImplementation = {
    Check: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
      const status = this.statusOf(call.request);
      if (status === SERVICE_UNKNOWN) callback(grpcStatus(new ServiceError(Code.NOT_FOUND, 'unknown service')));
      else callback(null, encoded(status));
    },
    Watch: (call: ServerWritableStream<Buffer, Buffer>): void => {
      call.write(encoded(this.statusOf(call.request)));
      this.watchers.add(call);
      call.on('cancelled', () => this.watchers.delete(call));
    },
  };

  /** From here on NOT_SERVING; watchers are told and let go. */
  close(): void {
    this.serving = false;
    for (const call of this.watchers) {
      call.write(encoded(NOT_SERVING));
      call.end();
    }
    this.watchers.clear();
  }

  private statusOf(request: Buffer): number {
    const { service } = HealthCheckRequest.decode(request);
    if (service !== '' && !this.services.has(service)) return SERVICE_UNKNOWN;
    return this.serving ? SERVING : NOT_SERVING;
  }
}
