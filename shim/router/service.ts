/** A routed connection as the gateway wants it: for clients that know nothing of the router, and the stock CLI. */
import type { ConnectionLike } from '@temporalio/client';
import { toServiceError } from '../service/error-details';
import { ForeignServiceError } from '../service/errors';
import type { CallContext, Service } from '../service/types';
import { isGrpcError } from './errors';

type Rpc = (request: object) => Promise<object>;

/** What came with a call as metadata stays here: it is for the gateway (API keys), not for the engines. */
export function routedService(connection: ConnectionLike): Pick<Service, 'call'> {
  const { workflowService, operatorService } = connection;
  return {
    async call(method: string, request: object, { deadlineMs, signal }: CallContext): Promise<object> {
      const service = (method in workflowService ? workflowService : operatorService) as unknown as Record<string, Rpc>;
      const send = (): Promise<object> => service[method]!(request);
      const timely = deadlineMs === undefined ? send : () => connection.withDeadline(deadlineMs, send);
      try {
        return await (signal === undefined ? timely() : connection.withAbortSignal(signal, timely));
      } catch (error) {
        if (!isGrpcError(error)) throw toServiceError(error);
        const [status] = error.metadata?.get('grpc-status-details-bin') ?? [];
        throw new ForeignServiceError(error.code, error.details, Buffer.isBuffer(status) ? status : undefined, error);
      }
    },
  };
}
