/** The core hands lang the very activations that Temporal's own core does for the same history. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { native } from '@temporalio/core-bridge';
import { coresdk } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { VMWorkflowCreator } from '@temporalio/worker/lib/workflow/vm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { workflowInfo } from '../../shim/core';
import type { Activation, HistoryEvent } from '../../shim/core';
import * as workflows from '../../compat-tests/histories/workflows';
import { replay } from './drive';
import { officialBundle } from './official-isolate';
import type { OfficialBundle } from './official-isolate';

const { WorkflowActivation } = coresdk.workflow_activation;
const directory = join(__dirname, '../../compat-tests/histories');
const names = readdirSync(directory)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

/** As JSON with protobuf's defaults left out, so that plain objects and messages compare. */
function comparable(activation: Activation): unknown {
  const message = WorkflowActivation.fromObject(activation);
  const object = WorkflowActivation.toObject(message, { longs: String, bytes: String }) as Record<string, unknown>;
  return JSON.parse(JSON.stringify(object, (key, value: unknown) => dropDefault(key, value)));
}

function dropDefault(key: string, value: unknown): unknown {
  // Versions of the workers differ; the eviction is worded in Rust's debug format there.
  if (key === 'deploymentVersionForCurrentTask' || key === 'removeFromCache') return undefined;
  if (value === '' || value === '0' || value === 0 || value === false || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value;
  if (typeof value === 'object' && value !== null) {
    const kept = Object.entries(value).filter(([, item]) => dropDefault('', item) !== undefined);
    if (kept.length === 0) return undefined;
    return Object.fromEntries(kept);
  }
  return value;
}

const workflowTypes = Object.entries(workflows)
  .filter(([, value]) => typeof value === 'function')
  .map(([name]) => name);

describe('activations', () => {
  let bundle: OfficialBundle;
  let workflowBundle: { code: string };
  const seen: Activation[] = [];
  const poll = native.workerPollWorkflowActivation;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF' } } });
    (native as { workerPollWorkflowActivation: typeof poll }).workerPollWorkflowActivation = async (worker) => {
      const bytes = await poll(worker);
      seen.push(WorkflowActivation.decode(new Uint8Array(bytes)));
      return bytes;
    };
    const workflowsPath = join(directory, 'workflows.ts');
    const logger = new DefaultLogger('ERROR');
    workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
    bundle = await officialBundle(workflowsPath);
  });
  afterAll(() => {
    (native as { workerPollWorkflowActivation: typeof poll }).workerPollWorkflowActivation = poll;
  });

  it.each(names)('%s: the same as those of the Rust core', async (name) => {
    const json = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as { workflowId: string };
    const history = historyFromJSON(json);
    seen.length = 0;
    await Worker.runReplayHistory({ workflowBundle, replayName: name }, history, json.workflowId);
    const theirs = seen.filter((activation) => !activation.jobs?.some((job) => job.removeFromCache));
    const { activations } = await replay(bundle, (history.events ?? []) as HistoryEvent[], {
      workflowId: json.workflowId,
    });
    const ours = activations.filter((activation) => !activation.jobs?.some((job) => job.removeFromCache));
    expect(theirs.length).toBeGreaterThan(0);
    expect(ours.map(comparable)).toEqual(theirs.map(comparable));
  });

  it.each(['continuing-2', 'cancelled', 'children'])('%s: the same workflow info', async (name) => {
    const json = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as { workflowId: string };
    const history = historyFromJSON(json);
    const create = vi.spyOn(VMWorkflowCreator.prototype, 'createWorkflow');
    const worker = { workflowBundle, debugMode: true, reuseV8Context: false, namespace: 'default' };
    await Worker.runReplayHistory(worker, history, json.workflowId);
    const theirs = create.mock.calls[0]?.[0].info;
    create.mockRestore();
    const { activations } = await replay(bundle, (history.events ?? []) as HistoryEvent[], {
      workflowId: json.workflowId,
    });
    const taskQueue = theirs?.taskQueue ?? '';
    const ours = workflowInfo(activations[0] as Activation, { namespace: theirs?.namespace ?? '', taskQueue });
    // Functions and the worker's own version are not compared.
    const plain = (info: unknown): unknown =>
      JSON.parse(JSON.stringify({ ...(info as object), currentBuildId: '', currentDeploymentVersion: '' }));
    expect(plain(ours)).toEqual(plain(theirs));
  });

  /** Some pairs in the usual run, all with CORE_ALL_PAIRS=1: a history and a workflow it was not recorded from. */
  const pairs = names.flatMap((name) => workflowTypes.map((type) => [name, type] as const));
  const chosen = process.env['CORE_ALL_PAIRS'] ? pairs : pairs.filter((_, i) => i % 41 === 0);

  it.each(chosen)('history %s with the code of %s ends the same', async (name, type) => {
    const json = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as { workflowId: string };
    const history = historyFromJSON(json);
    const start = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (start) start.workflowType = { name: type };
    seen.length = 0;
    await Worker.runReplayHistory({ workflowBundle, replayName: name }, history, json.workflowId).catch(
      () => undefined,
    );
    const theirs = seen
      .flatMap((activation) => activation.jobs ?? [])
      .find((job) => job.removeFromCache)?.removeFromCache;
    const { evicted } = await replay(bundle, (history.events ?? []) as HistoryEvent[], { workflowId: json.workflowId });
    expect({ reason: evicted.reason, message: failureOf(evicted.message) }).toEqual({
      reason: theirs?.reason,
      message: failureOf(theirs?.message ?? ''),
    });
  });
});

/** The failure in an eviction's message; Temporal's core writes it, and events in some of its failures, in Rust's debug format. */
function failureOf(message: string): string | undefined {
  const prefix = 'Workflow activation completion failed: ';
  const text = message.startsWith(prefix) ? message.slice(prefix.length) : '';
  const quoted = /^Failure \{ failure: Some\(Failure \{ message: "((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return (quoted ?? text)
    .replace(/HistoryEvent \{ event_id: (\d+).*$/, 'HistoryEvent(id: $1')
    .replace(/^(.*Child workflow machine .*HistoryEvent\(id: \d+).*$/, '$1')
    .replace(
      'UpsertWorkflowSearchAttributesMachine does not handle',
      'Upsert workflow search attributes machine does not handle this event:',
    );
}
