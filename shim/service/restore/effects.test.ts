import { describe, expect, test } from 'vitest';
import { findEffects } from './effects';
import { JournalReader, type JournalEnd, type JournalStart } from './journal';

const start = (runId: string, activityId: string, more: Partial<JournalStart> = {}): string =>
  JSON.stringify({
    ...{ event: 'start', at: 1000, namespace: 'default', workflowId: `id-${runId}`, runId, workflowType: 'pay' },
    ...{ activityId, activityType: 'charge', attempt: 1, local: false },
    ...more,
  } satisfies JournalStart);
const end = (runId: string, activityId: string, outcome: JournalEnd['outcome'], attempt = 1): string =>
  JSON.stringify({ event: 'end', at: 2000, runId, activityId, attempt, outcome } satisfies JournalEnd);

function read(...lines: string[]) {
  const reader = new JournalReader(() => true);
  for (const line of lines) reader.add(line);
  return reader;
}

const pending = (activityId: string, attempt: number, startedMs: number | null) => ({
  ...{ activityId, activityType: 'charge', attempt, startedMs },
});

describe('activities that may have had effects', () => {
  test('without a journal: those that had started and not ended', () => {
    const { effects, missing } = findEffects({
      runs: [{ runId: 'a', activities: [pending('1', 2, 500), pending('2', 1, null)] }],
      attempts: null,
      known: new Set(),
      recorded: new Map(),
    });
    expect(effects.get('a')).toEqual([
      expect.objectContaining({ activityId: '1', attempt: 2, outcome: 'unknown', knownFrom: 'history' }),
    ]);
    expect(missing).toEqual([]);
  });

  test('with one: those that the history does not have the end of, or does not have at all', () => {
    const { effects } = findEffects({
      runs: [{ runId: 'a', activities: [pending('1', 1, 500), pending('2', 3, null), pending('7', 1, 400)] }],
      attempts: read(
        start('a', '1'),
        end('a', '1', 'completed'),
        start('a', '2', { attempt: 2 }),
        end('a', '2', 'failed', 2),
        start('a', '3'),
        start('a', '4'),
        start('a', '5', { local: true }),
        end('a', '5', 'completed'),
        start('a', '6'),
        end('a', '6', 'committed'),
      ).result(),
      known: new Set(['a']),
      recorded: new Map([['a', new Set(['1', '2', '3', '7'])]]),
    });
    // 2 was seen to fail, 3 to end; 6 was taken back with the database; 7 ran on a worker without a journal.
    expect(effects.get('a')?.map(({ activityId, outcome, knownFrom }) => [activityId, outcome, knownFrom])).toEqual([
      ['1', 'completed', 'journal'],
      ['4', 'unknown', 'journal'],
      ['5', 'completed', 'journal'],
      ['7', 'unknown', 'history'],
    ]);
  });

  test('runs that the database does not have are told with what they did', () => {
    const { missing, effects } = findEffects({
      runs: [],
      attempts: read(
        start('gone', '1'),
        end('gone', '1', 'completed'),
        start('gone', '2'),
        end('gone', '2', 'committed'),
        start('closed', '1'),
      ).result(),
      known: new Set(['closed']),
      recorded: new Map(),
    });
    expect(missing).toEqual([
      expect.objectContaining({
        workflowId: 'id-gone',
        effects: [expect.objectContaining({ activityType: 'charge', outcome: 'completed' })],
      }),
    ]);
    expect(effects.size).toBe(0);
  });

  test('a journal may be cut in its last line, and files come in any order', () => {
    const reader = read(end('a', '1', 'completed'), start('a', '1'), '{"event":"sta');
    expect(reader.unreadable).toBe(1);
    expect(reader.result()).toEqual([expect.objectContaining({ activityId: '1', outcome: 'completed' })]);
  });
});
