/** Each fixture: there, there again, and back. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { noModules } from '../source/origins';
import { transformCode } from './index';

// A table of its own: what Branchline refuses changes, what is done about it does not.
vi.mock('../compatibility', () => {
  const webpack =
    "bundles are made by esbuild; make the bundle with Temporal's webpack bundler and pass workflowBundle.";
  const options: Record<string, Record<string, string>> = {
    'NativeConnection.connect': { payloadLimits: 'sizes are judged by the service; remove it.' },
    WorkerOptions: {
      useVersioning: 'remove it; one version of the code runs per task queue.',
      nexusServices: 'remove it; call the operation from an activity.',
      'workerDeploymentOptions.useWorkerVersioning': 'set it to false; use patches or a task queue per version.',
      'bundlerOptions.webpackConfigHook': webpack,
    },
    RuntimeOptions: {
      'telemetryOptions.metrics': 'remove it, and measure in interceptors or sinks instead.',
      workerHeartbeatInterval: 'remove it or set it to 0.',
    },
    DevServerConfig: { ui: 'There is no server to show.' },
    TimeSkippingServerConfig: { port: 'Nothing listens.' },
    WorkflowStartOptions: { versioningOverride: 'versioningOverride is not supported by Branchline.' },
  };
  const names: Record<string, Record<string, string>> = {
    worker: {
      MetricsBuffer: 'measure in interceptors or sinks instead.',
      startDebugReplayer:
        'run Worker.runReplayHistory(options, history) under a debugger instead; it runs in the main thread.',
      ResourceBasedController: "use 'fixed-size' slot suppliers or maxConcurrent\u2026 options.",
      'Runtime.native': 'Absent.',
    },
  };
  const rpcs = { startActivityExecution: 'Branchline has no standalone activities: start them from a workflow.' };
  return {
    refusedOptions: (table: string) => new Map(Object.entries(options[table] ?? {})),
    refusedNames: (door: string) => new Map(Object.entries(names[door] ?? {})),
    refusedRpcs: () => new Map(Object.entries(rpcs)),
  };
});

const folder = path.join(__dirname, 'fixtures');
const inputs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('.input.'))
  .sort();
const transform = (name: string, text: string, direction: 'forward' | 'reverse'): string =>
  transformCode(name, text, { direction, modules: noModules }).text;

describe.each(inputs)('%s', (name) => {
  const before = readFileSync(path.join(folder, name), 'utf8');
  const first = transform(name, before, 'forward');

  it('becomes its output', async () => {
    await expect(first).toMatchFileSnapshot(path.join(folder, name.replace('.input.', '.output.')));
  });

  it('stays as it is the second time', () => {
    expect(transform(name, first, 'forward')).toBe(first);
  });

  it('comes back byte for byte', () => {
    expect(transform(name, first, 'reverse')).toBe(before);
  });

  it('does so with Windows line ends too', () => {
    const windows = before.replaceAll('\n', '\r\n');
    const there = transform(name, windows, 'forward');
    expect(there).toBe(first.replaceAll('\n', '\r\n'));
    expect(transform(name, there, 'reverse')).toBe(windows);
  });
});
