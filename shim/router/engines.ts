/** The engines by name: each a connection, Temporal's or ours, and the namespace that stands there for the caller's. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConnectionLike } from '@temporalio/client';
import { Code, isOutOfReach, isStatus, refusal } from './errors';

export interface Engine {
  readonly name: string;
  readonly kind: 'temporal' | 'postgres';
  readonly connection: ConnectionLike;
  /** There, instead of the namespace that the caller names. */
  readonly namespace?: string;
  /** Workflows may be started there by others than the router: children, schedules, clients that do not know it. */
  readonly startedElsewhere: boolean;
}

type Rpc = (request: object) => Promise<object>;

/** After an engine was not reached, calls without patience are refused for that long, ms. Not by the wall clock, which may be set back. */
const PAUSE_MS = 1000;

export class Engines {
  private readonly byName: Map<string, Engine>;
  private readonly pausedUntil = new Map<string, number>();
  private readonly deadlines = new AsyncLocalStorage<number>();

  constructor(engines: Engine[]) {
    this.byName = new Map(engines.map((engine) => [engine.name, engine]));
  }

  get names(): string[] {
    return [...this.byName.keys()];
  }

  get all(): Engine[] {
    return [...this.byName.values()];
  }

  /** @throws GrpcError FAILED_PRECONDITION for an engine that this process does not have */
  get(name: string): Engine {
    const engine = this.byName.get(name);
    if (engine !== undefined) return engine;
    throw refusal(
      Code.FAILED_PRECONDITION,
      'BRANCHLINE_ROUTER_ENGINE_UNKNOWN',
      `engine '${name}' has it, but this connection was only given ${this.names.join(', ')}.`,
    );
  }

  /** Calls of all engines made in `fn` end at the deadline. */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.deadlines.run(Number(deadline), () =>
      this.within((engine, inner) => engine.connection.withDeadline(deadline, inner), fn),
    );
  }

  withAbortSignal<R>(signal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.within((engine, inner) => engine.connection.withAbortSignal(signal, inner), fn);
  }

  withMetadata<R>(metadata: Parameters<ConnectionLike['withMetadata']>[0], fn: () => Promise<R>): Promise<R> {
    return this.within((engine, inner) => engine.connection.withMetadata(metadata, inner), fn);
  }

  /** @throws GrpcError as the engine gave it */
  async call<R extends object>(name: string, method: string, request: object): Promise<R> {
    const engine = this.get(name);
    const { workflowService, operatorService } = engine.connection;
    const service = (method in workflowService ? workflowService : operatorService) as unknown as Record<string, Rpc>;
    return (await service[method]!(inNamespace(request, engine.namespace))) as R;
  }

  /** The same with an end to patience, the caller's deadline or `ms`; an engine that was not reached is refused at once for a moment after. */
  async callWithin<R extends object>(name: string, method: string, request: object, ms: number): Promise<R> {
    const paused = this.pausedUntil.get(name) ?? 0;
    if (performance.now() < paused) throw outOfReach(name);
    const own = Date.now() + ms;
    const callers = this.deadlines.getStore() ?? Infinity;
    try {
      const answer = await this.get(name).connection.withDeadline(Math.min(own, callers), () =>
        this.call<R>(name, method, request),
      );
      this.pausedUntil.delete(name);
      return answer;
    } catch (error) {
      // What the caller's own deadline or abort signal ended says nothing about the engine.
      const late = isStatus(error, Code.DEADLINE_EXCEEDED) && own <= callers;
      if (!isOutOfReach(error) && !late) throw error;
      this.pausedUntil.set(name, performance.now() + PAUSE_MS);
      throw outOfReach(name, error);
    }
  }

  private within<R>(wrap: (engine: Engine, inner: () => Promise<R>) => Promise<R>, fn: () => Promise<R>): Promise<R> {
    return this.all.reduce<() => Promise<R>>((inner, engine) => () => wrap(engine, inner), fn)();
  }
}

export const outOfReach = (name: string, cause?: unknown): Error =>
  refusal(
    Code.UNAVAILABLE,
    'BRANCHLINE_ROUTER_ENGINE_AWAY',
    `engine '${name}' is out of reach${cause instanceof Error ? ` (${cause.message})` : ''}.`,
    cause,
  );

/** The request as that engine's namespace has it, the parts of a multi-operation too. */
function inNamespace(request: object, namespace: string | undefined): object {
  if (namespace === undefined || !('namespace' in request)) return request;
  const { operations } = request as { operations?: Record<string, object | null>[] | null };
  if (!operations) return { ...request, namespace };
  const renamed = operations.map((operation) =>
    Object.fromEntries(
      Object.entries(operation).map(([kind, part]) => [kind, part === null ? null : { ...part, namespace }]),
    ),
  );
  return { ...request, namespace, operations: renamed };
}
