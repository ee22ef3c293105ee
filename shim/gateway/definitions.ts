/** Temporal's services as @grpc/grpc-js wants them, from the reflection objects of @temporalio/proto. */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { grpc, temporal } from '@temporalio/proto';
import type { Method, Service as ProtoService } from 'protobufjs';

/** A protobufjs message type. */
export interface MessageType {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
  fromObject(object: object): object;
  toObject(message: object, options: { longs: NumberConstructor }): object;
}

export interface RpcDefinition {
  /** PascalCase, as on the wire. */
  name: string;
  /** lowerCamel, as the service has it. */
  key: string;
  request: MessageType;
  response: MessageType;
}

/** The ones that the service object answers. */
export const SERVICES: object[] = [
  temporal.api.workflowservice.v1.WorkflowService,
  temporal.api.operatorservice.v1.OperatorService,
];
export const HEALTH: object = grpc.health.v1.Health;

const lowerCamel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
// Bytes go through: the handlers decode, so that they choose the words of an error.
const asIs = (bytes: Buffer): Buffer => bytes;

/** `services` with a name each, as it travels: temporal.api.workflowservice.v1.WorkflowService … */
export const serviceName = (definition: object): string => (definition as ProtoService).fullName.replace(/^\./, '');

export function rpcsOf(definition: object): RpcDefinition[] {
  return Object.values((definition as ProtoService).methods).map((method) => {
    const { resolvedRequestType, resolvedResponseType } = method.resolve() as Method;
    return {
      name: method.name,
      key: lowerCamel(method.name),
      request: resolvedRequestType as unknown as MessageType,
      response: resolvedResponseType as unknown as MessageType,
    };
  });
}

export function grpcDefinition(definition: object): ServiceDefinition {
  const methods = Object.values((definition as ProtoService).methods).map(
    (method): [string, MethodDefinition<Buffer, Buffer>] => [
      method.name,
      {
        path: `/${serviceName(definition)}/${method.name}`,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ],
  );
  return Object.fromEntries(methods);
}
