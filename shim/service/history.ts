/** GetWorkflowExecutionHistory: pages, long polls and the close event; GetWorkflowExecutionHistoryReverse. */
import { temporal } from '@temporalio/proto';
import { MAX_EVENT_ID, isCloseEvent, withoutNextRunId } from './close-event';
import type { HistoryEvent } from './engine/types';
import { invalidArgument } from './errors';
import { LONG_POLL_MS, pollRun } from './long-poll';
import { decodeToken, encodeToken } from './page-token';
import { type CurrentRuns, type Target, runNotFound, targetOf } from './target';
import type { CallContext, Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryRequest;
type Response = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;
type ReverseRequest = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryReverseRequest;
type ReverseResponse = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryReverseResponse;

/** Most events of one page (Temporal's server maximum), and about how many bytes. */
const MAX_PAGE_SIZE = 256;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const CLOSE_EVENT = temporal.api.enums.v1.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;

/** `next`: id of the first event not given yet. `end`: the page after which a plain (not waiting) read stops. */
interface HistoryToken {
  runId: string;
  next: number;
  end?: number;
}

const isHistoryToken = (token: Partial<HistoryToken>): boolean =>
  typeof token.runId === 'string' && Number.isInteger(token.next);

function pageSize(requested: number | null | undefined): number {
  return requested && requested > 0 ? Math.min(requested, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
}

function readToken(bytes: Uint8Array | null | undefined, target: Target): HistoryToken | undefined {
  const token = decodeToken<HistoryToken>(bytes, isHistoryToken);
  if (token !== undefined && target.runId !== '' && target.runId !== token.runId) {
    throw invalidArgument('RunId in the request does not match the NextPageToken.');
  }
  return token;
}

export function getWorkflowExecutionHistory(parts: ServiceParts, current: CurrentRuns): Rpc<Request, Response> {
  const reader = new HistoryReader(parts, current);
  return async (request, ctx) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    const token = readToken(request.nextPageToken, target);
    if (request.historyEventFilterType === CLOSE_EVENT) {
      return reader.closeEvent(target, token, request.waitNewEvent === true, ctx);
    }
    return reader.events(target, token, request.waitNewEvent === true, pageSize(request.maximumPageSize), ctx);
  };
}

export function getWorkflowExecutionHistoryReverse(
  parts: ServiceParts,
  current: CurrentRuns,
): Rpc<ReverseRequest, ReverseResponse> {
  const reader = new HistoryReader(parts, current);
  return async (request) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    const token = readToken(request.nextPageToken, target);
    const runId = token?.runId ?? (await reader.runOf(target));
    const last = token?.next ?? (await reader.length(target, runId));
    const first = Math.max(1, last - pageSize(request.maximumPageSize) + 1);
    const events = last < 1 ? [] : await parts.runs.history(runId, first, last);
    const more = first > 1 && events.length > 0;
    return {
      history: { events: [...events].reverse() },
      ...(more ? { nextPageToken: encodeToken({ runId, next: first - 1 } satisfies HistoryToken) } : {}),
    };
  };
}

class HistoryReader {
  constructor(
    private readonly parts: ServiceParts,
    private readonly current: CurrentRuns,
  ) {}

  /** The run that the target means. */
  async runOf(target: Target): Promise<string> {
    return target.runId || (await this.current.current(target)).runId;
  }

  /** Count of events now; NOT_FOUND when there is no such run. */
  async length(target: Target, runId: string): Promise<number> {
    const state = await this.parts.runs.read(runId);
    if (state !== null && state.workflowId === target.workflowId) return state.nextEventId - 1;
    const row = await this.parts.store.loadExecution(target.namespaceId, runId);
    if (row === null || row.workflowId !== target.workflowId) throw runNotFound(target.workflowId, runId);
    return row.historyLength;
  }

  async closeEvent(
    target: Target,
    token: HistoryToken | undefined,
    wait: boolean,
    ctx: CallContext,
  ): Promise<Response> {
    let runId = token?.runId ?? target.runId;
    let event: HistoryEvent | undefined;
    if (runId === '') {
      runId = await this.current.likely(target);
      if ((event = await this.closed(target, runId)) !== undefined) {
        // The remembered run has closed: is it still the newest?
        const newest = (await this.current.current(target)).runId;
        if (newest !== runId) {
          runId = newest;
          event = undefined;
        }
      }
    }
    // A token, and the store's answer for the id, were checked before; a run id of the caller's was not.
    if (event === undefined && token === undefined && target.runId !== '') await this.checkExists(target, runId);
    if (event === undefined) {
      const look = () => this.closed(target, runId);
      event = wait ? await pollRun(this.parts.runs, runId, LONG_POLL_MS, ctx, look, true) : await look();
    }
    if (event !== undefined) return { history: { events: [withoutNextRunId(event, ctx.metadata)] } };
    if (!wait) return { history: { events: [] } };
    return { history: { events: [] }, nextPageToken: encodeToken({ runId, next: 0 } satisfies HistoryToken) };
  }

  private async checkExists(target: Target, runId: string): Promise<void> {
    const row = await this.parts.store.loadExecution(target.namespaceId, runId);
    if (row === null || row.workflowId !== target.workflowId) throw runNotFound(target.workflowId, runId);
  }

  /** The close event, or undefined while the run is open. */
  private closed(target: Target, runId: string): HistoryEvent | undefined | Promise<HistoryEvent | undefined> {
    const last = this.parts.runs.lastEvent(runId);
    const closeOf = (event: HistoryEvent | undefined): HistoryEvent | undefined => {
      if (event === undefined) throw runNotFound(target.workflowId, runId);
      return isCloseEvent(event) ? event : undefined;
    };
    return last instanceof Promise ? last.then(closeOf) : closeOf(last);
  }

  async events(
    target: Target,
    token: HistoryToken | undefined,
    wait: boolean,
    size: number,
    ctx: CallContext,
  ): Promise<Response> {
    const runId = token?.runId ?? (await this.runOf(target));
    const from = token?.next ?? 1;
    const end = wait ? undefined : (token?.end ?? (await this.length(target, runId)));
    if (wait && token === undefined) await this.length(target, runId);
    const page = async (): Promise<HistoryEvent[]> =>
      this.parts.runs.history(runId, from, Math.min(from + size - 1, end ?? MAX_EVENT_ID), MAX_PAGE_BYTES);

    const read = wait
      ? await pollRun(this.parts.runs, runId, LONG_POLL_MS, ctx, async () => {
          const events = await page();
          return events.length > 0 ? events : undefined;
        })
      : await page();
    const events = (read ?? []).slice(0, size);
    const next = from + events.length;
    const more = end === undefined ? !isCloseEvent(events[events.length - 1]) : next <= end && events.length > 0;
    return {
      history: { events },
      ...(more ? { nextPageToken: encodeToken({ runId, next, ...(end === undefined ? {} : { end }) }) } : {}),
    };
  }
}
