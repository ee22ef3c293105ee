/** Page tokens of lists: the sort key of the last row. */
import type { ExecutionRow } from '../../store/types';
import { decodeToken, encodeToken } from '../page-token';

/** `closeOrMaxMs`: Infinity while open, as JSON null. */
interface ListToken {
  close: number | null;
  start: number;
  runId: string;
}
export interface ListPosition {
  closeOrMaxMs: number;
  startMs: number;
  runId: string;
}

export function positionOf(token: Uint8Array | null | undefined): ListPosition | null {
  const read = decodeToken<ListToken>(
    token,
    (value) => typeof value.runId === 'string' && typeof value.start === 'number' && value.close !== undefined,
  );
  if (read === undefined) return null;
  return { closeOrMaxMs: read.close ?? Infinity, startMs: read.start, runId: read.runId };
}

export const tokenAfter = (row: ExecutionRow): Uint8Array =>
  encodeToken({
    close: row.closeMs > 0 ? row.closeMs : null,
    start: row.startMs,
    runId: row.runId,
  } satisfies ListToken);
