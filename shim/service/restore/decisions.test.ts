import { describe, expect, test } from 'vitest';
import type { Decision } from '../../store/restore';
import { moves, standingOf, type Command, type Standing } from './decisions';

const up: Standing[] = ['undecided', 'toResume', 'toHold', 'toCancel'];
const decisions: Decision[] = ['resume', 'hold', 'cancel'];
const acts = (standing: Standing, command: Command) => moves[standing][command]?.acts;

describe('what may be decided on a run', () => {
  test('while the fence is up any decision may be taken and changed, and does nothing yet', () => {
    for (const standing of up) {
      expect(decisions.map((decision) => moves[standing][decision])).toEqual([
        { to: 'toResume', acts: [] },
        { to: 'toHold', acts: [] },
        { to: 'toCancel', acts: [] },
      ]);
    }
  });

  test('the release carries out decisions, and is refused where there is none', () => {
    expect(moves.undecided.release).toBeUndefined();
    expect(moves.toResume.release).toEqual({ to: 'free', acts: ['free'] });
    expect(moves.toHold.release).toEqual({ to: 'held', acts: ['hold'] });
    expect(moves.toCancel.release).toEqual({ to: 'free', acts: ['free', 'cancel'] });
  });

  test('a held run goes on or ends at once; one that is not held takes nothing', () => {
    expect(acts('held', 'resume')).toEqual(['free']);
    expect(acts('held', 'cancel')).toEqual(['free', 'cancel']);
    expect(acts('held', 'hold')).toEqual([]);
    for (const command of [...decisions, 'release'] as const) expect(moves.free[command]).toBeUndefined();
  });

  test('another fence leaves held runs held, and nobody has decided on the others', () => {
    expect(moves.held.fence?.to).toBe('toHold');
    expect(moves.free.fence?.to).toBe('undecided');
  });

  test('every way ends in a standing that rows can show', () => {
    const rows = { undecided: null, toResume: 'resume', toHold: 'hold', toCancel: 'cancel' } as const;
    for (const standing of up) {
      const decision = rows[standing as keyof typeof rows];
      expect(standingOf(true, { decision, held: false })).toBe(standing);
    }
    expect(standingOf(false, { decision: null, held: true })).toBe('held');
    expect(standingOf(false, { decision: null, held: false })).toBe('free');
  });
});
