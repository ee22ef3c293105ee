/** Traces one workflow with Temporal's own package for OpenTelemetry, on whichever worker and client are given. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';
import { ROOT_CONTEXT, context, propagation, trace, type Context, type ContextManager } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';
import type { Client } from '@temporalio/client';

export const tracedWorkflows = join(__dirname, 'workflows.ts');

export interface Tracing {
  /** For the client and the worker. */
  plugin: OpenTelemetryPlugin;
  /** `name < parent's name`, sorted; a span without a parent is `name`. */
  spans(): string[];
  traces(): number;
  end(): Promise<void>;
}

/** Replaces the process's tracer until it ends. */
export function startTracing(): Tracing {
  const exporter = new InMemorySpanExporter();
  const spanProcessor = new SimpleSpanProcessor(exporter);
  const provider = new BasicTracerProvider({ spanProcessors: [spanProcessor] });
  provider.register({ contextManager: contextManager() });
  const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
  return {
    plugin: new OpenTelemetryPlugin({
      resource: provider.resource as never,
      spanProcessor,
      tracer: provider.getTracer('t'),
    }),
    spans() {
      const all = exporter.getFinishedSpans();
      const names = new Map(all.map((span) => [idOf(span), span.name]));
      return all
        .map((span) => {
          const parent = span.parentSpanId;
          return parent === undefined ? span.name : `${span.name} < ${names.get(parent) ?? 'unknown'}`;
        })
        .sort();
    },
    traces: () => new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size,
    async end() {
      await provider.shutdown();
      context.disable();
      propagation.disable();
      trace.disable();
    },
  };
}

function contextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, fn, thisArg, ...args) => storage.run(active, () => fn.call(thisArg as never, ...args)),
    bind: (_active, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

/** Runs the workflow with a worker that is running. */
export async function runTraced(client: Client, taskQueue: string): Promise<void> {
  const handle = await client.workflow.start('traced', { taskQueue, workflowId: `traced-${taskQueue}` });
  await handle.query('ping');
  await handle.signal('go');
  await handle.result();
}
