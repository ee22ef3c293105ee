/** Which engine has an id: remembered, else the reservation, else (an id that the router never started) whoever knows it. */
import { LRUCache } from 'lru-cache';
import type { temporal } from '@temporalio/proto';
import { keyText } from '../store/routing';
import type { RoutedId, RoutedKey, RoutingStore } from '../store/routing-types';
import type { Notice } from '../store/types';
import type { Engines } from './engines';
import { Code, isStatus } from './errors';
import { isMissingNamespace } from './namespaces';
import { timely } from './timely';

export interface Owner {
  engine: string;
  /** Engines that had it before, newest last. */
  past: string[];
}

/** The newest run of an id on an engine. */
export interface NewestRun {
  runId: string;
  /** temporal.api.enums.v1.WorkflowExecutionStatus */
  status: number;
}

const REMEMBERED = 50_000;
/** What an engine said of an id without a reservation is believed for so long, ms. */
const ASKED_MS = 5000;
/** For questions to engines that nobody asked for. */
const ASK_MS = 3000;

export class Owners {
  private readonly known = new LRUCache<string, Owner>({ max: REMEMBERED });

  constructor(
    private readonly engines: Engines,
    private readonly store: RoutingStore,
  ) {}

  remember(key: RoutedKey, owner: Owner): void {
    this.known.set(keyText(key), owner);
  }

  forget(key: RoutedKey): void {
    this.known.delete(keyText(key));
  }

  heard(notice: Notice): void {
    if (notice.kind === 'routedId') this.known.delete(notice.key);
    else if (notice.kind === 'missed') this.known.clear();
  }

  remembered(key: RoutedKey): Owner | undefined {
    return this.known.get(keyText(key));
  }

  /**
   * Undefined = no engine knows it.
   * @throws GrpcError UNAVAILABLE when the one that may know it is out of reach
   */
  async find(key: RoutedKey): Promise<Owner | undefined> {
    return this.remembered(key) ?? this.look(key);
  }

  /** The same, past what is remembered. */
  async look(key: RoutedKey): Promise<Owner | undefined> {
    const reserved = await timely(this.store.find(key));
    const owner = reserved === null ? await this.ask(key) : ownerOf(reserved);
    if (owner === undefined) this.forget(key);
    // Where nobody has reserved it, the next start may put it elsewhere, and nobody is told of that.
    else this.known.set(keyText(key), owner, reserved === null ? { ttl: ASKED_MS } : {});
    return owner;
  }

  /** Others may take the engine of a run of that id, which only stands for the one on `engine`, for the owner. */
  async announce(key: RoutedKey, engine: string): Promise<void> {
    this.forget(key);
    await timely(this.store.adoptId(key, engine));
  }

  /** The id was deleted at its owner. */
  async release(key: RoutedKey): Promise<void> {
    this.forget(key);
    const reserved = await timely(this.store.find(key));
    if (reserved !== null) await timely(this.store.forgetId(key, reserved.version));
  }

  /** Null = the engine does not know the id, or has no such namespace. @throws GrpcError */
  async newestRun(engine: string, { namespace, id }: RoutedKey): Promise<NewestRun | null> {
    const request: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionRequest = {
      namespace,
      execution: { workflowId: id },
    };
    const answer = await this.unlessMissing(
      this.engines.callWithin<temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse>(
        engine,
        'describeWorkflowExecution',
        request,
        ASK_MS,
      ),
    );
    const info = answer?.workflowExecutionInfo;
    return info ? { runId: info.execution?.runId ?? '', status: info.status ?? 0 } : null;
  }

  /** @throws GrpcError */
  async hasSchedule(engine: string, { namespace, id }: RoutedKey): Promise<boolean> {
    const request = { namespace, scheduleId: id };
    return (await this.unlessMissing(this.engines.callWithin(engine, 'describeSchedule', request, ASK_MS))) !== null;
  }

  private async ask(key: RoutedKey): Promise<Owner | undefined> {
    let away: unknown;
    const answers = await Promise.all(
      this.engines.all.map(async ({ name }) => {
        try {
          if (key.kind === 'schedule') return (await this.hasSchedule(name, key)) ? { name, open: true } : null;
          const run = await this.newestRun(name, key);
          return run === null ? null : { name, open: isOpen(run.status) };
        } catch (error) {
          away = error;
          return null;
        }
      }),
    );
    const knowing = answers.filter((answer) => answer !== null);
    const owner = knowing.find(({ open }) => open) ?? knowing[0];
    if (owner === undefined && away !== undefined) throw away;
    if (owner === undefined) return undefined;
    return { engine: owner.name, past: knowing.map(({ name }) => name).filter((name) => name !== owner.name) };
  }

  /** Does the engine know the id? @throws GrpcError also where its namespace is missing: then nothing is known */
  async isKnown(engine: string, key: RoutedKey): Promise<boolean> {
    const { namespace, id } = key;
    const [method, request] =
      key.kind === 'schedule'
        ? ['describeSchedule', { namespace, scheduleId: id }]
        : ['describeWorkflowExecution', { namespace, execution: { workflowId: id } }];
    try {
      await this.engines.callWithin(engine, method, request, ASK_MS);
      return true;
    } catch (error) {
      if (isStatus(error, Code.NOT_FOUND) && !isMissingNamespace(error)) return false;
      throw error;
    }
  }

  private async unlessMissing<R>(answer: Promise<R>): Promise<R | null> {
    try {
      return await answer;
    } catch (error) {
      if (isStatus(error, Code.NOT_FOUND)) return null;
      throw error;
    }
  }
}

/** WORKFLOW_EXECUTION_STATUS_RUNNING and …_PAUSED */
const OPEN: readonly number[] = [1, 8];

export const isOpen = (status: number): boolean => OPEN.includes(status);

export const ownerOf = ({ engine, past }: RoutedId): Owner => ({ engine, past });
