/** One call into the service: deadline, abort signal, retries, and plain objects made into messages. No bytes on the way. */
import { defaultGrpcRetryOptions } from '@temporalio/client';
import type { CallContext as ClientCallContext } from '@temporalio/client/lib/types';
import { toServiceError } from '../service/error-details';
import { Code, ServiceError } from '../service/errors';
import type { CallContext, Service } from '../service/types';
import { type GrpcError, cancelled, deadlineExceeded, grpcError } from './grpc-error';
import { hold, letGo } from './process-hold';

/** A protobufjs message type; `fromObject` keeps bytes and makes int64 into Long. */
export interface MessageType {
  fromObject(object: object): object;
}

/** When the deadline has passed the service has that long to say why in its own words. */
const LAST_WORDS_MS = 50;
const retryOptions = defaultGrpcRetryOptions();

export class RpcCaller {
  constructor(
    private readonly service: () => Pick<Service, 'call'> | Promise<Pick<Service, 'call'>>,
    private readonly context: () => ClientCallContext | undefined,
    private readonly metadata: Record<string, string>,
    private readonly retries: boolean,
  ) {}

  /** @throws GrpcError */
  async call(method: string, responseType: MessageType, request: object): Promise<object> {
    hold();
    try {
      const given = this.context();
      if (given?.deadline === undefined && given?.abortSignal === undefined) {
        const ctx: CallContext = { metadata: this.metadataOf(given) };
        return responseType.fromObject(await this.attempts(method, request, ctx));
      }
      return responseType.fromObject(await this.bounded(method, request, given));
    } catch (error) {
      throw error instanceof ServiceError ? grpcError(error) : asGrpcError(error);
    } finally {
      letGo();
    }
  }

  private metadataOf(given: ClientCallContext | undefined): Record<string, string> {
    if (given?.metadata === undefined) return this.metadata;
    const entries = Object.entries(given.metadata).map(([name, value]) => [name.toLowerCase(), String(value)]);
    return { ...this.metadata, ...(Object.fromEntries(entries) as Record<string, string>) };
  }

  /** With a deadline or an abort signal: the caller is answered on time, and the service's waits end. */
  private async bounded(method: string, request: object, given: ClientCallContext): Promise<object> {
    const { deadline, abortSignal } = given;
    if (abortSignal?.aborted === true) throw cancelled();
    const deadlineMs = deadline === undefined ? undefined : Number(deadline);
    const leftMs = deadlineMs === undefined ? undefined : deadlineMs - Date.now();
    if (leftMs !== undefined && leftMs <= 0) throw deadlineExceeded();

    const stop = new AbortController();
    const ctx: CallContext = {
      metadata: this.metadataOf(given),
      signal: stop.signal,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    };
    let timer: NodeJS.Timeout | undefined;
    // Told by the timer: it may fire a moment before the wall clock shows the deadline.
    let late = false;
    let onAbort: (() => void) | undefined;
    const ended = new Promise<never>((_, reject) => {
      onAbort = () => {
        stop.abort();
        reject(cancelled());
      };
      abortSignal?.addEventListener('abort', onAbort, { once: true });
      if (leftMs === undefined) return;
      // Longer than setTimeout can count is no deadline.
      if (leftMs > 2 ** 31 - 1) return;
      timer = setTimeout(() => {
        late = true;
        stop.abort();
        timer = setTimeout(() => {
          reject(deadlineExceeded());
        }, LAST_WORDS_MS);
      }, leftMs);
    });
    const answer = this.attempts(method, request, ctx).catch((error: unknown) => {
      // The abort at the deadline is not the caller's.
      if (late && isCancelled(error)) throw deadlineExceeded();
      throw error;
    });
    // Whichever loses the race is not unhandled.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, ended]);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) abortSignal?.removeEventListener('abort', onAbort);
    }
  }

  /** The retries of @temporalio/client's gRPC interceptor, by the same rules. Opening the database has its own. */
  private attempts(method: string, request: object, ctx: CallContext): Promise<object> {
    const call = (service: Pick<Service, 'call'>): Promise<object> => {
      const attempt = (number: number): Promise<object> =>
        service.call(method, request, ctx).catch(async (thrown: unknown) => {
          await this.pauseBeforeRetry(number, thrown, ctx);
          return attempt(number + 1);
        });
      return attempt(1);
    };
    try {
      const service = this.service();
      return service instanceof Promise ? service.then(call) : call(service);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @throws what was thrown, when it is not to be tried again */
  private async pauseBeforeRetry(attempt: number, thrown: unknown, ctx: CallContext): Promise<void> {
    const error = thrown instanceof ServiceError ? thrown : fromUnknown(thrown);
    if (!(error instanceof ServiceError) || !this.retries) throw error;
    const status = grpcError(error);
    if (isGone(ctx) || !retryOptions.retryableDecider(attempt, status)) throw error;
    await pause(retryOptions.delayFunction(attempt, status), ctx.signal);
    if (isGone(ctx)) throw error;
  }
}

const isGone = (ctx: CallContext): boolean => ctx.signal?.aborted === true;
const isCancelled = (error: unknown): boolean => error instanceof ServiceError && error.code === Code.CANCELLED;

/** Errors with a code of ours stay what they are; the rest becomes a status. */
function fromUnknown(error: unknown): unknown {
  return isCoded(error) ? error : toServiceError(error);
}

const isCoded = (error: unknown): boolean =>
  String((error as { code?: unknown } | null)?.code).startsWith('BRANCHLINE_') &&
  (error as { code: string }).code !== 'BRANCHLINE_DATABASE_CONNECTION';

function asGrpcError(error: unknown): GrpcError {
  const status = grpcError(
    isCoded(error)
      ? new ServiceError(Code.FAILED_PRECONDITION, (error as Error).message, [], { cause: error })
      : toServiceError(error),
  );
  return status;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
