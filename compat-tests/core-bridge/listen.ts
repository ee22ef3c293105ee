/** A service as gRPC on a port of this machine, for clients that connect by address. */
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { OperatorService, WorkflowService } from '@temporalio/client';
import type { Method, Service as ProtoService, Type } from 'protobufjs';
import { grpcError } from '../../shim/client/grpc-error';
import { toServiceError } from '../../shim/service/error-details';
import type { Service } from '../../shim/service/types';

export interface Listener {
  port: number;
  close(): Promise<void>;
}

export async function listen(service: Service, port: number): Promise<Listener> {
  const server = new Server();
  for (const definition of [WorkflowService, OperatorService]) {
    for (const method of Object.values((definition as unknown as ProtoService).methods))
      add(server, service, method.resolve() as Method);
  }
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (e, p) => (e ? reject(e) : resolve(p))),
  );
  return { port: bound, close: async () => server.forceShutdown() };
}

function add(server: Server, service: Service, method: Method): void {
  const req = method.resolvedRequestType as Type;
  const res = method.resolvedResponseType as Type;
  const name = method.name.charAt(0).toLowerCase() + method.name.slice(1);
  const path = `/${method.parent!.fullName.slice(1)}/${method.name}`;
  server.register(
    path,
    (call: ServerUnaryCall<object, object>, cb: sendUnaryData<object>) => {
      const stop = new AbortController();
      call.on('cancelled', () => stop.abort());
      const d = call.getDeadline();
      const deadlineMs = d === Infinity ? undefined : Number(d);
      const metadata = Object.fromEntries(Object.entries(call.metadata.getMap()).map(([k, v]) => [k, String(v)]));
      service.call(name, call.request, { metadata, signal: stop.signal, ...(deadlineMs ? { deadlineMs } : {}) }).then(
        (r) => cb(null, r),
        (e) => {
          const g = grpcError(toServiceError(e));
          const m = new Metadata();
          for (const [k, v] of Object.entries(g.metadata.getMap())) m.set(k, v);
          cb({ code: g.code, details: g.details, metadata: m });
        },
      );
    },
    (v: object) => Buffer.from(res.encode(res.fromObject(v)).finish()),
    (b: Buffer) => req.toObject(req.decode(b)),
    'unary',
  );
}
