/** `temporal schedule …` */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { CliBench } from './bench';
import type { Row } from './row';

interface Described {
  schedule: {
    state?: { paused?: boolean; notes?: string };
    spec?: { interval?: { interval?: string }[]; structuredCalendar?: object[] };
  };
  info?: { actionCount?: string; recentActions?: object[] };
}

/** A schedule of one workflow a day that is far from due. */
async function schedule(bench: CliBench): Promise<string> {
  const id = randomUUID();
  const action = [
    '--workflow-id',
    `by-${id}`,
    '--type',
    'hello',
    '--task-queue',
    bench.taskQueue,
    '--input',
    '"schedule"',
  ];
  await bench.text('schedule', 'create', '--schedule-id', id, ...action, '--interval', '24h', '--notes', 'first');
  return id;
}

const describe = (bench: CliBench, id: string): Promise<Described> =>
  bench.json<Described>('schedule', 'describe', '--schedule-id', id);

export const scheduleRows: Row[] = [
  {
    command: 'schedule create',
    async works(bench) {
      const id = await schedule(bench);
      const again = await bench.run(
        'schedule',
        'create',
        '--schedule-id',
        id,
        '--type',
        'hello',
        '--task-queue',
        'q',
        '--workflow-id',
        'w',
        '--interval',
        '1h',
      );
      expect(again.code).toBe(1);
      expect(again.stderr).toMatch(/already/);
    },
  },
  {
    command: 'schedule describe',
    async works(bench) {
      const id = await schedule(bench);
      const { schedule: described } = await describe(bench, id);
      expect(described.state?.notes).toBe('first');
      expect(described.spec?.interval?.[0]?.interval).toBe('86400s');
      expect(await bench.text('schedule', 'describe', '--schedule-id', id)).toContain(id);
      const missing = await bench.run('schedule', 'describe', '--schedule-id', 'none');
      expect(missing.code).toBe(1);
    },
  },
  {
    command: 'schedule list',
    async works(bench) {
      const id = await schedule(bench);
      expect(await bench.text('schedule', 'list', '--long')).toContain(id);
    },
  },
  {
    command: 'schedule trigger',
    async works(bench) {
      const id = await schedule(bench);
      await bench.text('schedule', 'trigger', '--schedule-id', id);
      await expect.poll(async () => (await describe(bench, id)).info?.actionCount, { timeout: 20_000 }).toBe('1');
    },
  },
  {
    command: 'schedule toggle',
    async works(bench) {
      const id = await schedule(bench);
      await bench.text('schedule', 'toggle', '--schedule-id', id, '--pause', '--reason', 'holiday');
      expect((await describe(bench, id)).schedule.state).toMatchObject({ paused: true, notes: 'holiday' });
      await bench.text('schedule', 'toggle', '--schedule-id', id, '--unpause', '--reason', 'back');
      expect((await describe(bench, id)).schedule.state?.paused ?? false).toBe(false);
    },
  },
  {
    command: 'schedule backfill',
    async works(bench) {
      const id = await schedule(bench);
      const range = ['--start-time', '2024-01-01T12:00:00Z', '--end-time', '2024-01-03T12:00:00Z'];
      await bench.text('schedule', 'backfill', '--schedule-id', id, ...range, '--overlap-policy', 'AllowAll');
      await expect.poll(async () => (await describe(bench, id)).info?.actionCount, { timeout: 20_000 }).toBe('2');
    },
  },
  {
    command: 'schedule update',
    async works(bench) {
      const id = await schedule(bench);
      const action = ['--workflow-id', `by-${id}`, '--type', 'hello', '--task-queue', bench.taskQueue];
      await bench.text('schedule', 'update', '--schedule-id', id, ...action, '--interval', '48h', '--paused');
      const { schedule: described } = await describe(bench, id);
      expect(described.spec?.interval?.map(({ interval }) => interval)).toEqual(['172800s']);
      expect(described.state?.paused).toBe(true);
    },
  },
  {
    command: 'schedule delete',
    async works(bench) {
      const id = await schedule(bench);
      await bench.text('schedule', 'delete', '--schedule-id', id);
      expect((await bench.run('schedule', 'describe', '--schedule-id', id)).code).toBe(1);
    },
  },
];
