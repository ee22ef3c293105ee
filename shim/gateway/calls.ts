/** Unary calls: bytes in, the service's answer out; deadline, cancellation and metadata reach the service. */
import type { ServerUnaryCall, handleUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { toServiceError } from '../service/error-details';
import { Code, ServiceError } from '../service/errors';
import type { CallContext, Service } from '../service/types';
import type { RpcDefinition } from './definitions';
import { grpcStatus } from './status';

/** Larger requests are refused in the words of Temporal's server, which make a worker fail the task instead of sending it for ever. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Calls that wait for work and end with an empty answer. */
const isPoll = (key: string): boolean => /^poll\w+TaskQueue$/.test(key);

type Call = ServerUnaryCall<Buffer, Buffer>;

interface Running {
  poll: boolean;
  stop: AbortController;
}

export interface CallsOptions {
  service: Pick<Service, 'call'>;
  /** @throws ServiceError for a caller that may not call */
  authorize(metadata: Record<string, string>): void;
  /** A fault of ours: it was answered with INTERNAL. */
  onFault?: (method: string, error: unknown) => void;
}

export class Calls {
  private readonly running = new Set<Running>();
  private ending = false;

  constructor(private readonly options: CallsOptions) {}

  handler(rpc: RpcDefinition): handleUnaryCall<Buffer, Buffer> {
    return (call, callback) => void this.answer(rpc, call, callback);
  }

  /** Polls end with nothing, now and from now on. */
  endPolls(): void {
    this.ending = true;
    for (const { poll, stop } of this.running) if (poll) stop.abort('ending');
  }

  /** Whatever still waits ends; clients come again, elsewhere. */
  endAll(): void {
    this.ending = true;
    for (const { stop } of this.running) stop.abort('ending');
  }

  private async answer(rpc: RpcDefinition, call: Call, callback: sendUnaryData<Buffer>): Promise<void> {
    const running: Running = { poll: isPoll(rpc.key), stop: new AbortController() };
    this.running.add(running);
    call.on('cancelled', () => running.stop.abort('cancelled'));
    if (this.ending && running.poll) running.stop.abort('ending');
    try {
      const ctx = contextOf(call, running.stop.signal);
      this.options.authorize(ctx.metadata);
      const request = decode(rpc, call.request);
      const response = await this.options.service.call(rpc.key, request, ctx);
      callback(null, rpc.response.encode(rpc.response.fromObject(response)).finish() as Buffer);
    } catch (thrown) {
      callback(grpcStatus(this.refusal(rpc, running, thrown)));
    } finally {
      this.running.delete(running);
    }
  }

  private refusal(rpc: RpcDefinition, { stop }: Running, thrown: unknown): ServiceError {
    const error = toServiceError(thrown);
    // It was not the caller who cancelled.
    if (error.code === Code.CANCELLED && stop.signal.reason === 'ending') {
      return new ServiceError(Code.UNAVAILABLE, 'The server is shutting down.');
    }
    if (error.code === Code.INTERNAL) this.options.onFault?.(rpc.name, thrown);
    return error;
  }
}

function contextOf(call: Call, signal: AbortSignal): CallContext {
  const deadline = call.getDeadline();
  const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(call.metadata.getMap())) {
    if (typeof value === 'string') metadata[name] = value;
  }
  return { metadata, signal, onWire: true, ...(Number.isFinite(deadlineMs) ? { deadlineMs } : {}) };
}

function decode(rpc: RpcDefinition, bytes: Buffer): object {
  if (bytes.length > MAX_REQUEST_BYTES) {
    throw new ServiceError(
      Code.RESOURCE_EXHAUSTED,
      `grpc: received message larger than max (${bytes.length} vs. ${MAX_REQUEST_BYTES})`,
    );
  }
  try {
    // Plain objects, as callers of this process give: messages have defaults and more in their prototypes.
    return rpc.request.toObject(rpc.request.decode(bytes), { longs: Number });
  } catch (error) {
    throw new ServiceError(Code.INVALID_ARGUMENT, `${rpc.name}: the request is not a valid message`, [], {
      cause: error,
    });
  }
}
