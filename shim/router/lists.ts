/** One list over all engines: pages merged in Temporal's order, an engine for each run, and never half a list without a word. */
import type { temporal } from '@temporalio/proto';
import { int64, long } from '../common/proto-values';
import { encodeToken } from '../service/page-token';
import { ENGINE_ATTRIBUTE, splitEngineFilter, withEngine } from './engine-attribute';
import type { Engines } from './engines';
import { Code, isOutOfReach, refusal } from './errors';
import { type EnginePage, type Place, compareRuns, mergeRuns, runIdOf } from './merge';
import { base64, readToken } from './pages';
import type { ScheduleMoves } from './schedule-moves/moves';

type ListResponse = temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse;
type CountResponse = temporal.api.workflowservice.v1.ICountWorkflowExecutionsResponse;
type ScheduleResponse = temporal.api.workflowservice.v1.IListSchedulesResponse;

/** Where a list goes on, on each engine that still has something. */
interface ListToken {
  engines: Record<string, EnginePosition>;
  /** Engines that were out of reach: the last page says so. */
  away: Record<string, string>;
}
interface EnginePosition {
  /** Token of the page that has the next run, base64; '' = the first page. */
  page: string;
  /** The run before the next one, when that is on the same page. */
  after?: Place;
}

const ASK_MS = 10_000;
const PAGE = 1000;

export class Lists {
  constructor(
    private readonly engines: Engines,
    private readonly moves: Pick<ScheduleMoves, 'hidden'>,
  ) {}

  /** @throws GrpcError UNAVAILABLE in place of the last page when an engine was out of reach: what the others have was on the pages before */
  async executions(method: string, request: object): Promise<object> {
    const { query, pageSize, nextPageToken } =
      request as temporal.api.workflowservice.v1.IListWorkflowExecutionsRequest;
    const filter = splitEngineFilter(query ?? '', this.engines.names);
    refuseOrderBy(filter.query);
    const size = pageSize && pageSize > 0 ? Math.min(pageSize, PAGE) : PAGE;
    const token = readToken<ListToken>(nextPageToken, ({ engines, away }) => isRecord(engines) && isRecord(away)) ?? {
      engines: Object.fromEntries(filter.engines.map((name) => [name, { page: '' }])),
      away: {},
    };
    const away = { ...token.away };
    const open = Object.entries(token.engines).filter(([name]) => this.engines.names.includes(name));
    if (open.length === 0 && Object.keys(away).length > 0) throw partial(away);
    const ask = { ...request, query: filter.query, pageSize: size };
    const pages = (
      await Promise.all(open.map(([name, position]) => this.page(method, ask, name, position, away)))
    ).filter((page) => page !== undefined);

    const { taken, rest } = mergeRuns(pages, size);
    const next: ListToken = { engines: Object.fromEntries(rest), away };
    const more = rest.length > 0 || Object.keys(away).length > 0;
    return {
      executions: taken.map(({ engine, info }) => withEngine(info, engine)),
      ...(more ? { nextPageToken: encodeToken(next) } : {}),
    } satisfies ListResponse;
  }

  /** Sums, and groups by value. @throws GrpcError UNAVAILABLE, with the counts of the others, when an engine is out of reach */
  async count(request: object): Promise<object> {
    const { query } = request as temporal.api.workflowservice.v1.ICountWorkflowExecutionsRequest;
    const filter = splitEngineFilter(query ?? '', this.engines.names);
    const away: Record<string, string> = {};
    const counts = await Promise.all(
      filter.engines.map(async (name) => {
        try {
          const ask = { ...request, query: filter.query };
          const answer = await this.engines.callWithin<CountResponse>(name, 'countWorkflowExecutions', ask, ASK_MS);
          return { name, answer };
        } catch (error) {
          if (!isOutOfReach(error)) throw error;
          away[name] = (error as Error).message;
          return undefined;
        }
      }),
    );
    const known = counts.filter((count) => count !== undefined);
    if (Object.keys(away).length > 0) {
      throw partial(away, `; ${known.map(({ name, answer }) => `${name} counts ${int64(answer.count)}`).join(', ')}`);
    }
    const groups = new Map<string, { groupValues: temporal.api.common.v1.IPayload[]; count: number }>();
    for (const { answer } of known) {
      for (const { groupValues, count } of answer.groups ?? []) {
        const key = (groupValues ?? []).map(({ data }) => Buffer.from(data ?? []).toString()).join('\n');
        const group = groups.get(key) ?? { groupValues: groupValues ?? [], count: 0 };
        group.count += int64(count);
        groups.set(key, group);
      }
    }
    return {
      count: long(known.reduce((sum, { answer }) => sum + int64(answer.count), 0)),
      groups: [...groups.values()].map(({ groupValues, count }) => ({ groupValues, count: long(count) })),
    } satisfies CountResponse;
  }

  /** One engine after the other. @throws GrpcError of the engine that is asked */
  async schedules(method: string, request: object): Promise<object> {
    const { namespace, nextPageToken } = request as temporal.api.workflowservice.v1.IListSchedulesRequest;
    const at = readToken<{ engine: string; token: string }>(
      nextPageToken,
      ({ engine, token }) => typeof engine === 'string' && typeof token === 'string',
    ) ?? { engine: this.engines.names[0] ?? '', token: '' };
    const ask = { ...request, nextPageToken: Buffer.from(at.token, 'base64') };
    const answer = await this.engines.callWithin<ScheduleResponse>(at.engine, method, ask, ASK_MS);
    const hidden = await this.moves.hidden(namespace ?? '');
    const { nextPageToken: token } = answer;
    const following = this.engines.names[this.engines.names.indexOf(at.engine) + 1];
    const next =
      token && token.length > 0
        ? { engine: at.engine, token: base64(token) }
        : following === undefined
          ? undefined
          : { engine: following, token: '' };
    return {
      schedules: (answer.schedules ?? []).filter(({ scheduleId }) => !hidden.has(`${at.engine}/${scheduleId}`)),
      ...(next === undefined ? {} : { nextPageToken: encodeToken(next) }),
    } satisfies ScheduleResponse;
  }

  private async page(
    method: string,
    request: object,
    engine: string,
    position: EnginePosition,
    away: Record<string, string>,
  ): Promise<EnginePage | undefined> {
    try {
      const ask = { ...request, nextPageToken: Buffer.from(position.page, 'base64') };
      const answer = await this.engines.callWithin<ListResponse>(engine, method, ask, ASK_MS);
      const runs = answer.executions ?? [];
      const { after } = position;
      // By the run itself; if it moved meanwhile, by its place in the order.
      const at = after === undefined ? -1 : runs.findIndex((run) => runIdOf(run) === after.runId);
      const rest =
        after === undefined ? runs : at >= 0 ? runs.slice(at + 1) : runs.filter((run) => compareRuns(run, after) > 0);
      const next = base64(answer.nextPageToken ?? new Uint8Array());
      return { engine, runs: rest, page: position.page, next, ...(after === undefined ? {} : { after }) };
    } catch (error) {
      if (!isOutOfReach(error)) throw error;
      away[engine] = (error as Error).message;
      return undefined;
    }
  }
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function partial(away: Record<string, string>, more = ''): Error {
  const names = Object.keys(away).join(', ');
  return refusal(
    Code.UNAVAILABLE,
    'BRANCHLINE_ROUTER_PARTIAL',
    `this is only a part: ${names} could not be asked (${Object.values(away).join('; ')})${more}.`,
  );
}

/** Engines sort differently, and Temporal on Postgres or SQLite not at all: a merged list has the one order that all have. */
function refuseOrderBy(query: string): void {
  if (!/\border\s+by\b/i.test(query.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''"))) return;
  throw refusal(
    Code.INVALID_ARGUMENT,
    'BRANCHLINE_ROUTER_ORDER_BY',
    `ORDER BY is not possible over several engines: list on one of them (its own connection), or without it. ${ENGINE_ATTRIBUTE} narrows a list to one engine, in the common order.`,
  );
}
