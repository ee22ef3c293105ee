/** The rules hold for what a Temporal server wrote, and notice what no server writes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { brokenRules } from './history-rules';
import { replayKept } from './replay-oracle';

const recorded = join(__dirname, '../../compat-tests/histories');
const read = (name: string): temporal.api.history.v1.IHistory =>
  historyFromJSON(JSON.parse(readFileSync(join(recorded, name), 'utf8')));
const files = readdirSync(recorded).filter((name) => name.endsWith('.json'));

describe('history rules', () => {
  it.each(files)('hold for %s of a Temporal server', (name) => {
    expect(brokenRules(read(name).events!)).toEqual([]);
  });

  it.each([
    ['a gap', (events: unknown[]) => events.splice(4, 1), 'has the id'],
    ['two events in the wrong order', (events: unknown[]) => events.splice(2, 2, events[3], events[2]), 'has the id'],
    ['an event after the close', (events: unknown[]) => events.push(events[1]), 'is followed by'],
    ['no first event', (events: unknown[]) => events.shift(), 'it begins with'],
    ['an event twice', (events: unknown[]) => events.splice(5, 0, events[5]), 'has the id'],
  ])('notice %s', (_what, spoil, words) => {
    const { events } = read('activities-and-retries.json');
    spoil(events!);
    expect(brokenRules(events!).join('\n')).toContain(words);
  });
});

it("Temporal's replayer refuses a history of other code", async () => {
  const { History } = temporal.api.history.v1;
  const directory = mkdtempSync(join(tmpdir(), 'branchline-oracle-'));
  const keep = (name: string, workflowType?: string): string => {
    const history = read(`${name}.json`);
    if (workflowType) history.events![0]!.workflowExecutionStartedEventAttributes!.workflowType!.name = workflowType;
    return `${JSON.stringify({
      code: { workflowsPath: join(recorded, 'workflows.ts'), workflowInterceptorModules: [] },
      workflowId: `recorded-${name}`,
      history: Buffer.from(History.encode(History.fromObject(history)).finish()).toString('base64'),
    })}\n`;
  };
  writeFileSync(join(directory, 'a.jsonl'), keep('timers') + keep('children', 'timers'));
  const error: unknown = await replayKept(directory).catch((refused: unknown) => refused);
  expect(String(error)).toContain('recorded-children: ');
  expect(String(error)).not.toContain('recorded-timers: ');
  rmSync(directory, { recursive: true });
}, 60_000);
