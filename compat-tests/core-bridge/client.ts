/** The native client: calls by name with protobuf bytes, answered by the service of the database that its address stands for. */
import type { native } from '@temporalio/core-bridge';
import { Metadata } from '@grpc/grpc-js';
import { OperatorService, WorkflowService } from '@temporalio/client';
import { grpc } from '@temporalio/proto';
import type { Method, Service as ProtoService, Type } from 'protobufjs';
import { RpcCaller } from '../../shim/client/rpc-caller';
import type { GrpcError } from '../../shim/client/grpc-error';
import type { Service } from '../../shim/service/types';
import { errors } from './errors';
import type { Runtime } from './runtime';
import { serviceAt } from './servers';

type Headers = Record<string, native.MetadataValue>;

export class Client {
  readonly type = 'client';
  headers: Record<string, string>;

  constructor(
    readonly runtime: Runtime,
    readonly service: Service,
    readonly options: native.ClientOptions,
  ) {
    this.headers = plainHeaders(options.headers ?? {});
  }

  async call(definition: object, call: native.RpcCall): Promise<Buffer> {
    const method = (definition as ProtoService).methods[call.rpc]?.resolve() as Method;
    const requestType = method.resolvedRequestType as Type;
    const responseType = method.resolvedResponseType as Type;
    const context = {
      metadata: plainHeaders(call.metadata),
      ...(call.timeout === null ? {} : { deadline: Date.now() + call.timeout }),
    };
    const caller = new RpcCaller(
      () => this.service,
      () => context,
      this.headers,
      call.retry,
    );
    const name = call.rpc.charAt(0).toLowerCase() + call.rpc.slice(1);
    try {
      const request = requestType.toObject(requestType.decode(call.req));
      const response = await caller.call(name, responseType, request);
      return Buffer.from(responseType.encode(response).finish());
    } catch (error) {
      const { message, code, details, metadata } = error as GrpcError;
      throw new errors.ServiceError(message, code, details, metadata);
    }
  }
}

function plainHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { value }]) => [name.toLowerCase(), value.toString()] as const),
  );
}

export async function newClient(runtime: Runtime, options: native.ClientOptions): Promise<Client> {
  const service = await serviceAt(options.targetUrl);
  if (service === undefined) {
    throw new errors.TransportError(`Failed to connect to ${options.targetUrl}: there is no server of this test run`);
  }
  return new Client(runtime, service, options);
}

export function clientClose(_client: Client): void {}

export function clientUpdateHeaders(client: Client, headers: Headers): void {
  client.headers = plainHeaders(headers);
}

/** Branchline knows no API keys. */
export function clientUpdateApiKey(_client: Client, _apiKey: string): void {}

export function clientSendWorkflowServiceRequest(client: Client, call: native.RpcCall): Promise<Buffer> {
  return client.call(WorkflowService, call);
}

export function clientSendOperatorServiceRequest(client: Client, call: native.RpcCall): Promise<Buffer> {
  return client.call(OperatorService, call);
}

/** The health service has one question and one answer. */
export function clientSendHealthServiceRequest(_client: Client, _call: native.RpcCall): Promise<Buffer> {
  const { HealthCheckResponse } = grpc.health.v1;
  return Promise.resolve(
    Buffer.from(HealthCheckResponse.encode({ status: HealthCheckResponse.ServingStatus.SERVING }).finish()),
  );
}

export function clientSendTestServiceRequest(_client: Client, call: native.RpcCall): Promise<Buffer> {
  const details = `Branchline does not answer ${call.rpc}.`;
  return Promise.reject(new errors.ServiceError(`12 UNIMPLEMENTED: ${details}`, 12, details, new Metadata()));
}
