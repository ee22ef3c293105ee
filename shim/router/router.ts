/** One call over several engines: finds the engine by the way that the RPC has (ways.ts), and passes the call on as it is. */
import type { temporal } from '@temporalio/proto';
import { scheduleStart } from './schedule-start';
import type { RoutedKey } from '../store/routing-types';
import type { StandInStore } from '../store/stand-in-types';
import { STAND_IN_CLOSED } from './across/names';
import type { Engines } from './engines';
import { Code, isStatus, refusal } from './errors';
import type { Lists } from './lists';
import type { LoadGuard } from './load/load-guard';
import type { Namespaces } from './namespaces';
import type { Owner, Owners } from './owners';
import { inEnginePage, enginePage } from './pages';
import type { Parity } from './payloads/parity';
import type { RouteSource } from './routes/source';
import { type Decision, decide, decideChild } from './routes/decide';
import { type StartRequest, type TenantFunction, startFacts } from './routes/facts';
import type { ScheduleMoves } from './schedule-moves/moves';
import type { Starts } from './starts';
import { mergedTaskQueue } from './task-queues';
import { timely } from './timely';
import { type StartPart, type Target, type Way, ways, withoutReusePolicy } from './ways';

export interface RouterSetting {
  engines: Engines;
  routes: RouteSource;
  tenant: TenantFunction | undefined;
  owners: Owners;
  starts: Starts;
  lists: Lists;
  namespaces: Namespaces;
  parity: Pick<Parity, 'refusalOf'>;
  load: Pick<LoadGuard, 'diversion'>;
  scheduleMoves: ScheduleMoves;
  standIns: StandInStore;
  /** Engine of the connection's own Postgres. */
  home: string;
  now(): number;
}

export type StartChild = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;

/** A start that is not answered by then is given up, without a deadline of the caller's, ms. Whoever tries again comes to the same engine. */
const START_MS = 10_000;
/** An update that comes with a start is waited for at the server, 20 s there; less than half of the grace. */
const START_AND_UPDATE_MS = 28_000;

export class Router {
  constructor(private readonly setting: RouterSetting) {}

  /** @throws GrpcError as the engine gave it, or a refusal of the router's */
  async call(method: string, request: object): Promise<object> {
    const way = ways[method];
    if (way === undefined) throw notRouted(method);
    const { engines, lists, home } = this.setting;
    switch (way.way) {
      case 'start':
        return this.start(method, request, way);
      case 'workflow':
        return this.ofWorkflow(method, request, way);
      case 'createSchedule':
        return this.createSchedule(method, request);
      case 'schedule':
        return this.ofSchedule(method, request, way);
      case 'token':
        return this.byToken(method, request);
      case 'list':
        return way.items === 'executions' ? lists.executions(method, request) : lists.schedules(method, request);
      case 'count':
        return lists.count(request);
      case 'taskQueue':
        return mergedTaskQueue(engines, method, request);
      case 'home':
        return engines.call(home, method, request);
    }
  }

  /** Where a start would go by the routes alone. */
  wanted(start: StartRequest): string {
    return this.decision(start).engine;
  }

  /**
   * Where a child goes that was started where its parent is; undefined = it stays. `more`: the start with what only some routes look at.
   */
  async engineOfChild(start: StartRequest, more: () => Promise<StartRequest>): Promise<string | undefined> {
    const { routes, tenant: tenantOf, now } = this.setting;
    const { tenant } = routes.current;
    const whole = tenant === undefined || (tenant !== 'function' && 'idPattern' in tenant) ? start : await more();
    return decideChild(routes.current, startFacts(whole, tenant, tenantOf), now());
  }

  /** Starts on `engine`, beside the run that stands for it elsewhere under the same id. @throws GrpcError */
  async startChild(engine: string, request: StartChild, stub: { runId: string; engine: string }): Promise<string> {
    const { engines, starts, owners, standIns } = this.setting;
    const key = workflowKey(request, request.workflowId);
    const part = request as StartPart;
    const { namespace, id: workflowId } = key;
    await timely(standIns.put({ ...stub, namespace, workflowId, startedOn: engine }));
    const wanted = { engine, onlyIfNew: false };
    const answer = await starts.startWorkflow(
      key,
      wanted,
      part,
      'fail',
      (to) => this.sendStart(to, 'startWorkflowExecution', request, part),
      stub.runId,
    );
    const { runId } = answer as temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
    if (!(await timely(standIns.started(stub.runId, runId ?? '')))) {
      // It was terminated on the way, and seen to be.
      const execution = { workflowId, runId };
      await engines.call(engine, 'terminateWorkflowExecution', {
        namespace,
        workflowExecution: execution,
        reason: STAND_IN_CLOSED,
      });
    }
    await owners.announce(key, engine);
    return runId ?? '';
  }

  private decision(start: StartRequest): Decision {
    const { routes, tenant, now } = this.setting;
    return decide(routes.current, startFacts(start, routes.current.tenant, tenant), now());
  }

  private start(
    method: string,
    request: object,
    { start, defaultConflict }: Extract<Way, { way: 'start' }>,
  ): Promise<object> {
    const { engines, starts, load } = this.setting;
    const part = start(request);
    const key = workflowKey(request, part.workflowId);
    // Nothing to have an owner of: any engine says what is wrong with it.
    if (key.id === '') return engines.call(this.setting.home, method, request);
    const decision = this.decision(part);
    const diverted = load.diversion(decision);
    const wanted = { engine: diverted ?? decision.engine, onlyIfNew: diverted !== undefined };
    return starts.startWorkflow(key, wanted, part, defaultConflict, (engine, judged) =>
      this.sendStart(engine, method, judged ? withoutReusePolicy(request) : request, part),
    );
  }

  private async ofWorkflow(
    method: string,
    request: object,
    { target, pages }: Extract<Way, { way: 'workflow' }>,
  ): Promise<object> {
    const { engines, home } = this.setting;
    const { id, runId } = target(request);
    if (id === '') return engines.call(home, method, request);
    const key = workflowKey(request, id);
    if (pages !== true) return this.byOwner(key, { id, runId }, (engine) => engines.call(engine, method, request));
    const page = inEnginePage(request);
    const send = async (engine: string): Promise<object> =>
      enginePage(engine, await engines.call(engine, method, page.request));
    return page.engine === undefined ? this.byOwner(key, { id, runId }, send) : send(page.engine);
  }

  private async createSchedule(method: string, request: object): Promise<object> {
    const { engines, starts, home } = this.setting;
    const { scheduleId } = request as temporal.api.workflowservice.v1.ICreateScheduleRequest;
    if (!scheduleId) return engines.call(home, method, request);
    const key = scheduleKey(request);
    const start = scheduleStart(request);
    return starts.createSchedule(key, this.wanted(start), (engine) => this.sendStart(engine, method, request, start));
  }

  private async sendStart(engine: string, method: string, request: object, start: StartRequest): Promise<object> {
    const { engines, namespaces, parity } = this.setting;
    const namespace = (request as { namespace?: string }).namespace ?? '';
    const refused = parity.refusalOf(engine, namespace, start.taskQueue?.name ?? '');
    if (refused !== undefined) throw refused;
    void namespaces.meet(namespace);
    try {
      const patience = method === 'executeMultiOperation' ? START_AND_UPDATE_MS : START_MS;
      return await engines.callWithin(engine, method, request, patience);
    } catch (error) {
      throw await namespaces.refusalOf(engine, namespace, error);
    }
  }

  private async ofSchedule(
    method: string,
    request: object,
    { changes, forgets }: Extract<Way, { way: 'schedule' }>,
  ): Promise<object> {
    const { engines, owners, scheduleMoves } = this.setting;
    const key = scheduleKey(request);
    if (changes === true) await scheduleMoves.refuseWhileMoving(key);
    const answer = await this.byOwner(key, { id: key.id, runId: '' }, (engine) =>
      engines.call(engine, method, request),
    );
    if (forgets === true) await owners.release(key);
    return answer;
  }

  /** To the owner; where it does not know the id (any more), to whoever has it now or had it before. */
  private async byOwner<R>(key: RoutedKey, { runId }: Target, send: (engine: string) => Promise<R>): Promise<R> {
    const { owners, routes } = this.setting;
    const remembered = owners.remembered(key);
    let owner: Owner = remembered ?? (await owners.look(key)) ?? { engine: routes.current.default, past: [] };
    const asked = new Set<string>();
    let refused: unknown;
    const ask = async (engine: string): Promise<{ answer: R } | undefined> => {
      asked.add(engine);
      try {
        return { answer: await send(engine) };
      } catch (error) {
        if (!isStatus(error, Code.NOT_FOUND)) throw error;
        refused ??= error;
        return undefined;
      }
    };
    let done = await ask(owner.engine);
    if (done === undefined && remembered !== undefined) {
      owner = (await owners.look(key)) ?? owner;
      if (!asked.has(owner.engine)) {
        refused = undefined;
        done = await ask(owner.engine);
      }
    }
    // A run of before stays where it was; without a run id that is the last one that the owner does not know of.
    for (const engine of [...owner.past].reverse()) {
      if (done !== undefined) break;
      if (!asked.has(engine) && (runId !== '' || owner.past.length > 0)) done = await ask(engine);
    }
    if (done === undefined) throw refused;
    return done.answer;
  }

  private async byToken(method: string, request: object): Promise<object> {
    const { engines } = this.setting;
    const { taskToken } = request as { taskToken?: Uint8Array | null };
    const kind = kindOfToken(taskToken);
    const able = engines.all.filter((engine) => kind === undefined || engine.kind === kind);
    let refused: unknown;
    for (const { name } of able.length === 0 ? engines.all : able) {
      try {
        return await engines.call(name, method, request);
      } catch (error) {
        // The token of another engine of that kind.
        if (!isStatus(error, Code.NOT_FOUND, Code.INVALID_ARGUMENT)) throw error;
        refused ??= error;
      }
    }
    throw refused;
  }
}

const workflowKey = (request: object, id: string | null | undefined): RoutedKey => ({
  namespace: (request as { namespace?: string }).namespace ?? '',
  kind: 'workflow',
  id: id ?? '',
});

const scheduleKey = (request: object): RoutedKey => {
  const { namespace, scheduleId } = request as { namespace?: string; scheduleId?: string };
  return { namespace: namespace ?? '', kind: 'schedule', id: scheduleId ?? '' };
};

/** Ours are JSON arrays, those of a Temporal server protobuf messages that begin with field 1. */
function kindOfToken(token: Uint8Array | null | undefined): 'temporal' | 'postgres' | undefined {
  if (!token || token.length === 0) return undefined;
  if (token[0] === 0x5b) return 'postgres';
  return token[0] === 0x0a ? 'temporal' : undefined;
}

const notRouted = (method: string): Error =>
  /^poll\w+TaskQueue$|^respondWorkflowTask|^respondQuery/.test(method)
    ? refusal(
        Code.FAILED_PRECONDITION,
        'BRANCHLINE_ROUTER_WORKER',
        `${method}: a worker works for one engine. Connect it to that engine, not to the router (createWorkers makes one for each).`,
      )
    : refusal(
        Code.UNIMPLEMENTED,
        'BRANCHLINE_ROUTER_NOT_ROUTED',
        `${method} is a matter of one engine: call it on a connection of that engine.`,
      );
