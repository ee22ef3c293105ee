/** `Worker.runReplayHistory` and `runReplayHistories` against histories recorded from a Temporal server. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkflowCode } from '../../shim/worker/bundler/bundle';
import { DefaultLogger } from '../../shim/worker/logger';
import { ReplayError } from '../../shim/worker/replay-errors';
import { Runtime } from '../../shim/worker/runtime';
import { Worker } from '../../shim/worker/worker';

const directory = join(__dirname, '../../compat-tests/histories');
const read = (name: string): { workflowId: string } =>
  JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as { workflowId: string };
const names = readdirSync(directory)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

describe('replaying recorded histories', () => {
  let workflowBundle: { code: string };
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    workflowBundle = await bundleWorkflowCode({ workflowsPath: join(directory, 'workflows.ts') });
  });

  it.each(names)('accepts %s, as JSON and as protos', async (name) => {
    const json = read(name);
    await Worker.runReplayHistory({ workflowBundle }, json, json.workflowId);
    await Worker.runReplayHistory({ workflowBundle }, historyFromJSON(json), json.workflowId);
  });

  it('tells for each of many histories what it came to', async () => {
    const histories = names.slice(0, 5).map((name) => {
      const json = read(name);
      return { workflowId: json.workflowId, history: historyFromJSON(json) };
    });
    const results = [];
    for await (const result of Worker.runReplayHistories({ workflowBundle }, histories)) results.push(result);
    expect(results.map(({ workflowId, error }) => ({ workflowId, error }))).toEqual(
      histories.map(({ workflowId }) => ({ workflowId, error: undefined })),
    );
  });

  it('refuses a history that other code wrote', async () => {
    const json = read('timers');
    const history = historyFromJSON(json);
    history.events![0]!.workflowExecutionStartedEventAttributes!.workflowType = { name: 'localActivities' };
    const replay = Worker.runReplayHistory({ workflowBundle }, history, json.workflowId);
    await expect(replay).rejects.toThrow(DeterminismViolationError);
  });

  it('reports a workflow task that fails', async () => {
    const json = read('timers');
    const history = historyFromJSON(json);
    history.events![0]!.workflowExecutionStartedEventAttributes!.workflowType = { name: 'noSuchWorkflow' };
    const replay = Worker.runReplayHistory({ workflowBundle }, history, json.workflowId);
    await expect(replay).rejects.toThrow(ReplayError);
  });
});
