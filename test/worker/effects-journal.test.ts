/** The effects journal: what a worker's activities did, outside of the database. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { expect, it } from 'vitest';
import { transactional } from '../../shim/activity';
import { JournalReader, type JournalLine } from '../../shim/service/restore/journal';
import { afterTest } from '../support/database';
import { harness } from './harness';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'branchline-journal-'));
  afterTest(() => Promise.resolve(rmSync(made, { recursive: true })));
  return made;
}

const linesOf = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
const parsed = (file: string): JournalLine[] => linesOf(file).map((line) => JSON.parse(line) as JournalLine);

it('has each attempt before its code runs, and how it ended', async () => {
  const file = join(folder(), 'effects.jsonl');
  const seen: boolean[] = [];
  const noted = (): void => {
    const { activityId, attempt } = Context.current().info;
    seen.push(
      parsed(file).some((line) => line.event === 'start' && line.activityId === activityId && line.attempt === attempt),
    );
  };
  const activities = {
    firstTime: () => Promise.resolve(false),
    charge: (amount: number) => {
      noted();
      if (Context.current().info.attempt === 1) throw ApplicationFailure.retryable('no answer');
      return Promise.resolve(amount);
    },
    book: transactional(async (tx) => {
      noted();
      await tx.query('SELECT 1');
      return 'booked';
    }),
  };
  const { run } = await harness({ activities, effectsJournal: { file } });
  await run(async (h) => {
    await h.execute('calling', [['charge', 7], ['book']], { retry: { initialInterval: 1 } });
    await h.execute('callingLocally', 'book');
  });
  expect(seen).toEqual([true, true, true, true]);
  const reader = new JournalReader(() => true);
  for (const line of linesOf(file)) reader.add(line);
  const attempts = reader
    .result()
    .map(
      ({ activityType, attempt, local, outcome }) => `${local ? 'local ' : ''}${activityType} ${attempt}: ${outcome}`,
    );
  expect(attempts.sort()).toEqual([
    ...['book 1: committed', 'charge 1: failed', 'charge 2: completed'],
    ...['local book 1: committed', 'local firstTime 1: completed'],
  ]);
  expect(reader.result()[0]).toMatchObject({
    namespace: 'default',
    workflowType: 'calling',
    runId: expect.any(String) as string,
  });
});

it('keeps what comes after a line that a crash or a full disk has cut', async () => {
  const file = join(folder(), 'effects.jsonl');
  writeFileSync(file, '{"event":"start","at":1');
  const activities = { act: () => Promise.resolve(1), again: () => Promise.resolve(2) };
  const { run, worker } = await harness({ activities, effectsJournal: { file } });
  const { handle } = (worker as unknown as { journal: { handle: FileHandle } }).journal;
  await run(async (h) => {
    await h.execute('calling', [['act']]);
    const append = handle.appendFile.bind(handle);
    handle.appendFile = async (text) => {
      handle.appendFile = append;
      await append((text as string).slice(0, 20));
      throw new Error('no space left');
    };
    await h.execute('calling', [['again']], { retry: { initialInterval: 1 } });
  });
  const reader = new JournalReader(() => true);
  for (const line of linesOf(file)) reader.add(line);
  expect(reader.unreadable).toBe(2);
  expect(reader.result().map(({ activityType, outcome }) => `${activityType}: ${outcome}`)).toEqual([
    'act: completed',
    'again: completed',
  ]);
});

it('is refused where it cannot be, and by a value that makes no sense', async () => {
  const missing = join(folder(), 'not', 'there.jsonl');
  await expect(harness({ effectsJournal: { file: missing } })).rejects.toMatchObject({
    code: 'BRANCHLINE_EFFECTS_JOURNAL',
  });
  expect(existsSync(missing)).toBe(false);
  await expect(harness({ effectsJournal: { file: '' } })).rejects.toThrow('effectsJournal must be');
});

it('keeps an activity from running while it cannot be written', async () => {
  const file = join(folder(), 'effects.jsonl');
  let ran = 0;
  const activities = { act: () => Promise.resolve(++ran) };
  const { run, worker } = await harness({ activities, effectsJournal: { file } });
  const { journal } = worker as unknown as { journal: { handle: { appendFile: unknown } } };
  journal.handle.appendFile = () => Promise.reject(new Error('no space left'));
  await run(async (h) => {
    const calling = h.execute('calling', [['act']], { retry: { maximumAttempts: 2, initialInterval: 1 } });
    await expect(calling).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining('no space left') as string } },
    });
  });
  expect(ran).toBe(0);
});
