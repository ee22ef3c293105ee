/** Histories recorded from a Temporal server (compat-tests/histories) replay through the core. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { coresdk } from '@temporalio/proto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../shim/core';
import { activities } from '../../compat-tests/histories/activities';
import { replay } from './drive';
import { officialBundle } from './official-isolate';
import type { OfficialBundle } from './official-isolate';
import { reenact } from './reenact';
import { expectSameCommands, expectSameMetadata } from './same-commands';

const { EvictionReason } = coresdk.workflow_activation.RemoveFromCache;
const directory = join(__dirname, '../../compat-tests/histories');

interface Recorded {
  workflowId: string;
  events: HistoryEvent[];
}

function recorded(name: string, workflowType?: string): Recorded {
  const json = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as { workflowId: string };
  const events = historyFromJSON(json).events ?? [];
  const start = events[0]?.workflowExecutionStartedEventAttributes;
  if (workflowType !== undefined && start) start.workflowType = { name: workflowType };
  return { workflowId: json.workflowId, events };
}

const names = readdirSync(directory)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

describe('recorded histories', () => {
  let bundle: OfficialBundle;
  beforeAll(async () => {
    bundle = await officialBundle(join(directory, 'workflows.ts'), Object.keys(activities));
  });

  it.each(names)('%s replays, whole and in pages', async (name) => {
    for (const paged of [false, true]) {
      const { workflowId, events } = recorded(name);
      const { evicted } = await replay(bundle, events, { workflowId, paged });
      expect(evicted).toMatchObject({ message: 'The history was replayed', reason: EvictionReason.LANG_REQUESTED });
    }
  });

  it.each([
    ['1', '2', 'replayed'],
    ['2', '3', 'replayed'],
    ['3', '4', 'replayed'],
    ['3', '2', 'replayed'],
    ['2', '1', 'No command scheduled|no corresponding change command'],
    ['2', '4', 'no corresponding change command'],
    ['1', '4', 'replayed'],
  ])('of a patch: history %s with code %s: %s', async (past, present, verdict) => {
    const { workflowId, events } = recorded(`patch-life-${past}`, `patchLife${present}`);
    const { evicted } = await replay(bundle, events, { workflowId });
    expect(evicted.message).toMatch(new RegExp(verdict));
  });

  describe.each([true, false])('lived again (sticky: %s)', (sticky) => {
    // Which local activities ended together, and so were told together, a history does not say.
    it.each(names.filter((name) => !name.startsWith('storm')))('%s leads to the same commands', async (name) => {
      const { workflowId, events } = recorded(name);
      for (const { past, request } of await reenact(bundle, workflowId, events, sticky)) {
        expectSameCommands(request, past.commandEvents);
        expectSameMetadata(request, past.completed);
      }
    });
  });
});
