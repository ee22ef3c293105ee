/** Objects with one method per RPC, as `connection.workflowService` has them, over an {@link RpcCaller}. */
import type { Method, Service as ProtoService } from 'protobufjs';
import type { MessageType, RpcCaller } from './rpc-caller';

type Callback = (error: Error | null, response?: object) => void;
type RpcMethod = (request?: object, callback?: Callback) => Promise<object> | undefined;

const lowerCamel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** A stub for a service definition of @temporalio/proto. Like protobufjs's, a method takes a callback or gives a promise. */
export function rpcService<T>(definition: object, caller: Pick<RpcCaller, 'call'>): T {
  const stub: Record<string, RpcMethod> = {};
  for (const method of Object.values((definition as ProtoService).methods)) {
    stub[lowerCamel(method.name)] = rpcMethod(method, caller);
  }
  return stub as T;
}

function rpcMethod(method: Method, caller: Pick<RpcCaller, 'call'>): RpcMethod {
  const name = lowerCamel(method.name);
  let responseType: MessageType | undefined;
  return (request = {}, callback) => {
    responseType ??= (method.resolve() as Method).resolvedResponseType as MessageType;
    const response = caller.call(name, responseType, request);
    if (callback === undefined) return response;
    response.then(
      (value) => {
        callback(null, value);
      },
      (error: unknown) => {
        callback(error as Error);
      },
    );
    return undefined;
  };
}
