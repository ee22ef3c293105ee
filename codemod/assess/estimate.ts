/** What the moved types would cost Postgres, from what was measured of them and of Branchline (docs/performance.md). */
import type { Measurement } from './measure';

/** Measured on 2026-11-25 with one-activity workflows (W1), whose histories have 11 events. */
export const MEASURED = {
  /** Bytes of WAL of such a run, its small payloads included. */
  walBytesPerRun: 5900,
  eventsPerRun: 11,
  /** Write transactions of such a run under load, where they are put together; of one that is alone. */
  transactionsUnderLoad: 0.098,
  transactionsAlone: 3,
} as const;

/** `maxConnections` of a process, where nothing else is said; those of transactional activities come on top. */
const CONNECTIONS_PER_PROCESS = 6;

export interface Estimate {
  types: string[];
  startsPerSecond: number;
  /** From all put together to none. */
  writeTransactionsPerSecond: { least: number; most: number };
  walBytesPerSecond: number;
  connectionsPerProcess: number;
}

/** Undefined: of none of the types histories were read. */
export function estimateOf(types: readonly string[], { types: measured }: Measurement): Estimate | undefined {
  const known = types.filter((type) => measured[type]?.historyLength !== undefined);
  if (known.length === 0) return undefined;
  const estimate: Estimate = {
    types: known,
    startsPerSecond: 0,
    writeTransactionsPerSecond: { least: 0, most: 0 },
    walBytesPerSecond: 0,
    connectionsPerProcess: CONNECTIONS_PER_PROCESS,
  };
  for (const type of known) {
    const { startsPerSecond, historyLength, payloadBytesPerRun = 0 } = measured[type]!;
    // As many of the measured runs as this one has events for.
    const runs = startsPerSecond * ((historyLength?.p50 ?? 0) / MEASURED.eventsPerRun);
    estimate.startsPerSecond += startsPerSecond;
    estimate.writeTransactionsPerSecond.least += runs * MEASURED.transactionsUnderLoad;
    estimate.writeTransactionsPerSecond.most += runs * MEASURED.transactionsAlone;
    estimate.walBytesPerSecond += runs * MEASURED.walBytesPerRun + startsPerSecond * payloadBytesPerRun;
  }
  return estimate;
}
