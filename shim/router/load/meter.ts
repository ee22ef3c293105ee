/** The break-even meter: what each workflow type starts per second, against what this Postgres was measured to take. */
import type { ConnectionLike } from '@temporalio/client';
import { int64 } from '../../common/proto-values';
import type { Routes } from '../routes/schema';
import { textMatches } from '../routes/decide';

/** Starts per second of a type on each engine. */
export interface TypeRate {
  workflowType: string;
  perSecond: Record<string, number>;
}

export interface MeterRow extends TypeRate {
  /** Of the measured ceiling, what the type starts on the guarded engine, 0 to 1 and beyond. */
  share: number;
  movable: boolean;
}

export interface Meter {
  rows: MeterRow[];
  /** Of the ceiling, all types together. */
  share: number;
  suggestions: string[];
  ceilingPerSecond: number;
  moveBackAt: number;
}

/** Starts per second that the project's machine took at least (W1 of docs/performance.md: 2 cores, one activity each). Yours is another: `meter.ceilingPerSecond`. */
const MEASURED_PER_SECOND = 739;
const MOVE_BACK_AT = 0.5;

/** Pure. Types to move back are the largest first, until the others stay below the line. */
export function breakEven(rates: TypeRate[], routes: Routes, engine: string): Meter {
  const { ceilingPerSecond = MEASURED_PER_SECOND, moveBackAt = MOVE_BACK_AT, to = 'temporal' } = routes.meter ?? {};
  const rows = rates
    .map((rate) => ({
      ...rate,
      share: (rate.perSecond[engine] ?? 0) / ceilingPerSecond,
      movable: routes.rules.some(
        (rule) =>
          rule.engine === engine &&
          rule.movable === true &&
          rule.workflowType !== undefined &&
          textMatches(rule.workflowType, rate.workflowType),
      ),
    }))
    .sort((a, b) => b.share - a.share);
  const share = rows.reduce((sum, row) => sum + row.share, 0);
  const suggestions: string[] = [];
  let rest = share;
  for (const { workflowType, perSecond, share: own, movable } of rows) {
    if (rest < moveBackAt || own === 0) break;
    suggestions.push(
      `move ${workflowType} back to ${to}: ${(perSecond[engine] ?? 0).toFixed(2)} starts/s are ${percent(own)} of the ${ceilingPerSecond}/s that ${engine} was measured to take, all types together ${percent(share)}, the line is at ${percent(moveBackAt)}${movable ? '' : ' (no rule says that it is movable)'}`,
    );
    rest -= own;
  }
  return { rows, share, suggestions, ceilingPerSecond, moveBackAt };
}

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const TYPES_FROM = 1000;
const PAGE = 500;

/** By the engines' visibility: runs that started in the last `windowMs` (those of continue-as-new, retries and cron too), of all types among the newest ones. */
export async function ratesOf(
  engines: Record<string, { connection: ConnectionLike; namespace: string }>,
  windowMs: number,
  nowMs: number,
): Promise<TypeRate[]> {
  const since = `StartTime >= '${new Date(nowMs - windowMs).toISOString()}'`;
  const types = new Set<string>();
  for (const { connection, namespace } of Object.values(engines)) {
    let nextPageToken: Uint8Array | undefined;
    let seen = 0;
    do {
      const request = {
        namespace,
        query: since,
        pageSize: PAGE,
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      };
      const answer = await connection.workflowService.listWorkflowExecutions(request);
      for (const { type } of answer.executions) if (type?.name) types.add(type.name);
      seen += answer.executions.length;
      nextPageToken = answer.nextPageToken.length > 0 ? answer.nextPageToken : undefined;
    } while (nextPageToken !== undefined && seen < TYPES_FROM);
  }
  return Promise.all(
    [...types].sort().map(async (workflowType) => {
      const perSecond: Record<string, number> = {};
      for (const [name, { connection, namespace }] of Object.entries(engines)) {
        const query = `WorkflowType = '${workflowType.replace(/[\\']/g, '\\$&')}' AND ${since}`;
        const { count } = await connection.workflowService.countWorkflowExecutions({ namespace, query });
        perSecond[name] = int64(count) / (windowMs / 1000);
      }
      return { workflowType, perSecond };
    }),
  );
}
