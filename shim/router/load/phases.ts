/** When starts are kept away from a loaded Postgres, and when they come back: a state machine with hysteresis. Pure. */

/** calm: nothing is wrong. pressed: over a budget, not yet for long. diverting: starts go elsewhere. easing: well below all budgets, not yet for long. */
export type Phase = 'calm' | 'pressed' | 'diverting' | 'easing';

/** over: a budget is exceeded. near: none is, one nearly. below: well below all. */
export type Level = 'over' | 'near' | 'below';

export interface GuardState {
  phase: Phase;
  /** When it began, ms. */
  sinceMs: number;
}

export interface Patience {
  /** Over a budget for that long before starts are diverted, ms. */
  afterMs: number;
  /** Well below all for that long before they come back, ms. */
  quietMs: number;
}

const NEXT: Record<Phase, Record<Level, Phase>> = {
  calm: { over: 'pressed', near: 'calm', below: 'calm' },
  pressed: { over: 'pressed', near: 'calm', below: 'calm' },
  diverting: { over: 'diverting', near: 'diverting', below: 'easing' },
  easing: { over: 'diverting', near: 'diverting', below: 'easing' },
};

/** What comes of a phase that has lasted. */
const RIPE: Partial<Record<Phase, { to: Phase; after: keyof Patience }>> = {
  pressed: { to: 'diverting', after: 'afterMs' },
  easing: { to: 'calm', after: 'quietMs' },
};

export const isDiverting = (phase: Phase): boolean => phase === 'diverting' || phase === 'easing';

export function nextState(state: GuardState, level: Level, nowMs: number, patience: Patience): GuardState {
  const phase = NEXT[state.phase][level];
  const sinceMs = phase === state.phase ? state.sinceMs : nowMs;
  const ripe = RIPE[phase];
  if (ripe === undefined || nowMs - sinceMs < patience[ripe.after]) return { phase, sinceMs };
  return { phase: ripe.to, sinceMs: nowMs };
}
