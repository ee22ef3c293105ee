/** The start of a run of which a caller's transaction left a seed. */
import type { InboxMessage, Seed } from '../../store/types';
import { signalOf } from '../callers/messages';
import type { Engine, Request } from '../engine/api';
import type { EngineContext, Transition } from '../engine/types';

export interface SeedStart {
  start: Transition;
  /** The message of the inbox that came with the start and is in it; null = none. */
  signal: InboxMessage | null;
}

/** `inbox`: the run's, oldest first. */
export function startOfSeed(engine: Engine, seed: Seed, base: EngineContext, [first]: InboxMessage[]): SeedStart {
  const context = { ...base, nowMs: seed.startedAtMs, newId: () => seed.runId };
  const input = engine.startInputFromRequest(seed.request as Request<'StartWorkflowExecutionRequest'>, context);
  // Signal-with-start: one request id for both.
  const signal = first?.kind === 'signal' && first.requestId === input.requestId ? first : null;
  if (signal !== null) {
    const { signalName, input: payloads, identity, header } = signalOf(signal);
    input.signal = { signalName, input: payloads, identity, header };
  }
  return { start: engine.start(input, context), signal };
}
