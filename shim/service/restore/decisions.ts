/**
 * What may be decided on a run after a restore, and what it brings about: a table. While the fence is up, decisions are only written down, and may be changed; they are carried
 * out when it goes down.
 */
import type { Decision } from '../../store/restore';

/**
 * `undecided`, `toResume`, `toHold`, `toCancel`: the fence is up. `held`: it is down, and nothing is done in the run. `free`: as if nothing had been.
 */
export type Standing = 'undecided' | 'toResume' | 'toHold' | 'toCancel' | 'held' | 'free';
export type Command = Decision | 'release' | 'fence';
/** What is done to the run's rows; each does no harm to a run that is so already. */
export type Act = 'hold' | 'free' | 'cancel';

export interface Move {
  to: Standing;
  acts: readonly Act[];
}

const write = (to: Standing): Move => ({ to, acts: [] });
const decisions = { resume: write('toResume'), hold: write('toHold'), cancel: write('toCancel') };

/** Where nothing stands the command is refused. */
export const moves: { readonly [S in Standing]: { readonly [C in Command]?: Move } } = {
  undecided: decisions,
  toResume: { ...decisions, release: { to: 'free', acts: ['free'] } },
  toHold: { ...decisions, release: { to: 'held', acts: ['hold'] } },
  toCancel: { ...decisions, release: { to: 'free', acts: ['free', 'cancel'] } },
  held: {
    resume: { to: 'free', acts: ['free'] },
    hold: write('held'),
    cancel: { to: 'free', acts: ['free', 'cancel'] },
    // Until something else is decided.
    fence: write('toHold'),
  },
  free: { fence: write('undecided') },
};

const decided: Record<Decision, Standing> = { resume: 'toResume', hold: 'toHold', cancel: 'toCancel' };

export function standingOf(
  fenced: boolean,
  { decision, held }: { decision: Decision | null; held: boolean },
): Standing {
  if (fenced) return decision === null ? 'undecided' : decided[decision];
  return held ? 'held' : 'free';
}
