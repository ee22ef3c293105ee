/** Differences between our messages (plain numbers) and what the runtime in the sandbox reads and writes (Longs). */
import type { coresdk, temporal } from '@temporalio/proto';
import Long from 'long';
import { int64 } from '../../common/proto-values';

type Job = coresdk.workflow_activation.IWorkflowActivationJob;
export type VariantJob = Job & { variant: string };

/** The jobs with `variant` beside the value, in a new array (the runtime takes jobs out), int64 fields as Longs where it calls their methods. */
export function sandboxJobs(jobs: readonly Job[]): VariantJob[] {
  return jobs.map((job) => {
    const variant =
      (job as Partial<VariantJob>).variant ?? Object.keys(job).find((key) => job[key as keyof Job] != null);
    if (variant === undefined) throw new TypeError('Expected job.variant to be defined');
    const value = job[variant as keyof Job];
    return { variant, [variant]: withLongs(variant, value as object) } as VariantJob;
  });
}

function withLongs(variant: string, value: object): object {
  switch (variant) {
    case 'signalWorkflow': {
      const signal = value as coresdk.workflow_activation.ISignalWorkflow;
      return signal.originatingEventId == null
        ? signal
        : { ...signal, originatingEventId: Long.fromNumber(int64(signal.originatingEventId)) };
    }
    case 'updateRandomSeed': {
      const { randomnessSeed } = value as coresdk.workflow_activation.IUpdateRandomSeed;
      return { randomnessSeed: seedLong(randomnessSeed) };
    }
    case 'resolveActivity': {
      const { result } = value as coresdk.workflow_activation.IResolveActivity;
      const duration = result?.backoff?.backoffDuration;
      if (duration != null) {
        const seconds = Long.fromNumber(int64(duration.seconds));
        const backoff = { ...result?.backoff, backoffDuration: { ...duration, seconds } };
        return { ...value, result: { ...result, backoff } };
      }
      nexusFailureLongs(result?.failed?.failure ?? result?.cancelled?.failure);
      return value;
    }
    case 'resolveChildWorkflowExecution':
    case 'resolveNexusOperation': {
      const { result } = value as { result?: { failed?: unknown; cancelled?: unknown; timedOut?: unknown } };
      for (const failed of [result?.failed, result?.cancelled, result?.timedOut]) {
        const failure = (failed as { failure?: Failure })?.failure ?? failed;
        nexusFailureLongs(failure as Failure);
      }
      return value;
    }
    default:
      return value;
  }
}

/** A seed may be a Long, its clone without prototype, a bigint or decimal text: it does not fit a number. */
function seedLong(seed: unknown): Long {
  if (typeof seed === 'bigint' || typeof seed === 'string')
    return Long.fromString(BigInt.asUintN(64, BigInt(seed)).toString(), true);
  if (typeof seed === 'number') return Long.fromNumber(seed, true);
  const { low, high } = seed as { low: number; high: number };
  return Long.fromBits(low, high, true);
}

type Failure = temporal.api.failure.v1.IFailure | null | undefined;

/** The failure converter calls `toNumber()` on a Nexus failure's event id. */
function nexusFailureLongs(failure: Failure): void {
  for (let at = failure; at != null; at = at.cause) {
    const info = at.nexusOperationExecutionFailureInfo;
    if (info?.scheduledEventId != null) info.scheduledEventId = Long.fromNumber(int64(info.scheduledEventId));
  }
}

/** Replaces, in place, the Longs in what the runtime made by plain numbers. Payload bytes are left alone. */
export function plainNumbers<T extends object>(value: T): T {
  const fields = value as Record<string, unknown>;
  for (const key in fields) {
    const field = fields[key];
    if (typeof field !== 'object' || field === null || ArrayBuffer.isView(field)) continue;
    if ((field as { __isLong__?: true }).__isLong__ === true) fields[key] = int64(field);
    else plainNumbers(field);
  }
  return value;
}
