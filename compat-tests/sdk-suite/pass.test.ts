import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectedMinutes, Pass, type Work } from './pass';

const work = (way: Work['way'], name: string): Work => ({
  way,
  file: { name, defaultServer: false, notApplicable: {} },
});

it('a pass that is broken off goes on, and begins anew when it has ended', () => {
  const folder = mkdtempSync(join(tmpdir(), 'branchline-pass-'));
  const state = join(folder, 'out/pass.json');
  new Pass(state).add(work('core', 'sinks'));
  const next = new Pass(state);
  expect([work('core', 'sinks'), work('gateway', 'sinks')].map((one) => next.isDone(one))).toEqual([true, false]);
  next.end();
  expect(new Pass(state).isDone(work('core', 'sinks'))).toBe(false);
  rmSync(folder, { recursive: true });
});

it('the minutes are those of the last results, and a guess where there is none', () => {
  const results = { core: { date: '', versions: {}, files: { sinks: { passed: 1, failed: [], seconds: 80 } } } };
  expect(expectedMinutes(results, [work('core', 'sinks'), work('core', 'replay')])).toBe(2);
});
