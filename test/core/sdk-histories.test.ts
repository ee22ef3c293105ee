/**
 * The history files of Temporal's own SDK tests, replayed with its own workflows. Neither is in this repository:
 * TEMPORAL_SDK_CHECKOUT names a checkout of sdk-typescript.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../shim/core';
import { replay } from './drive';
import { officialBundle } from './official-isolate';

const checkout = process.env['TEMPORAL_SDK_CHECKOUT'];

describe.skipIf(checkout === undefined)("histories of the SDK's own tests", () => {
  const tests = join(checkout ?? '', 'packages/test');

  it.each([
    ['cancel_fake_progress_history', 'workflows/cancel-fake-progress.ts'],
    ['random-replay-1.17.2', 'workflows/random-streams.ts'],
  ])('%s replays', async (name, source) => {
    const nodeModules = resolve(__dirname, '../../node_modules');
    const bundle = await officialBundle(join(tests, 'src', source), [], nodeModules);
    const json: unknown = JSON.parse(readFileSync(join(tests, `history_files/${name}.json`), 'utf8'));
    const { evicted } = await replay(bundle, historyFromJSON(json).events as HistoryEvent[]);
    expect(evicted.message).toBe('The history was replayed');
  });
});
