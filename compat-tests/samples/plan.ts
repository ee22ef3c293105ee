/**
 * How each folder of temporalio/samples-typescript is run and what its expected end is. Facts about the samples only: none of their code is here.
 */
export interface Step {
  /** Script and arguments, relative to the folder; `npm:package/file` for one of what is installed. */
  run: string;
  /** Its expected end is a failure: exit code 1, with `expect` in the output. */
  fails?: boolean;
  /** What its output must show; without one, exit code 0 is enough. */
  expect?: RegExp;
  /** Ends by the signal instead of by itself, once `expect` was seen. */
  interrupt?: boolean;
  /** Started and left running (a server) until the folder is done; ready when `expect` is seen. */
  background?: boolean;
}
export interface Sample {
  folder: string;
  /** The worker script, started first; ready when its log shows it runs. */
  worker?: string;
  /** What the worker's own output must have shown at the end. */
  workerExpect?: RegExp;
  /** Installed packages that stand nearer than what the folder asks for: name → place below node_modules. */
  link?: Record<string, string>;
  /** Scripts before all, as `run` of a step: code that is generated. */
  prepare?: string[];
  steps: Step[];
  /** Settings that the sample takes from the environment. */
  env?: Record<string, string>;
  /** Keyword attributes and the like registered before. */
  searchAttributes?: Record<string, number>;
  timeoutSeconds?: number;
  /** What one should know of its outcome. */
  note?: string;
  /** Not run, and why. */
  skip?: string;
}

const hello = /Hello, Temporal!/;

export const samples: Sample[] = [
  {
    folder: 'activities-cancellation-heartbeating',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /threw because Workflow was cancelled/ }],
    timeoutSeconds: 90,
  },
  {
    folder: 'activities-dependency-injection',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /Hi: Temporal|Hola: Temporal/ }],
  },
  {
    folder: 'batch-sliding-window',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /Total records processed: \d+/ }],
    timeoutSeconds: 180,
  },
  {
    folder: 'child-workflows',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /I am a child named Alice\nI am a child named Bob/ }],
  },
  { folder: 'continue-as-new', worker: 'src/worker.ts', steps: [{ run: 'src/client.ts' }], timeoutSeconds: 90 },
  {
    folder: 'cron-workflows',
    worker: 'src/worker.ts',
    workerExpect: /Hello from my-schedule, Temporal!/,
    // Interrupted, it would cancel the workflow before the first minute begins.
    steps: [{ run: 'src/client.ts', expect: /Cron started/, background: true }],
    timeoutSeconds: 80,
  },
  {
    folder: 'custom-logger',
    worker: 'src/worker.ts',
    workerExpect: /hello from|info|sample/i,
    steps: [{ run: 'src/client.ts' }],
  },
  {
    folder: 'dsl-interpreter',
    worker: 'src/worker.ts',
    workerExpect: /activity|execute/i,
    steps: [
      { run: 'src/client.ts' },
      { run: 'src/client.ts ./workflow1.yaml' },
      { run: 'src/client.ts ./workflow2.yaml' },
    ],
  },
  {
    folder: 'eager-workflow-start',
    steps: [{ run: 'src/run.ts', expect: hello }],
    note: 'the first task is handed over in the process; the answer carries only its mark',
  },
  {
    folder: 'early-return',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/run-workflow.ts', expect: /final transaction report: \{.*"/ }],
  },
  { folder: 'ejson', worker: 'src/worker.ts', steps: [{ run: 'src/client.ts', expect: /success: true/ }] },
  { folder: 'empty', worker: 'src/worker.ts', steps: [{ run: 'src/client.ts', expect: hello }] },
  {
    folder: 'encryption',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /Bob: Hi Alice, I'm Workflow Bob/ }],
  },
  {
    folder: 'env-config',
    steps: [{ run: 'src/load-from-file.ts', expect: /Client connected successfully/ }],
    note: '`load-from-file`; in `load-profile` the address of a server is left for a person',
  },
  {
    folder: 'expense',
    worker: 'src/worker.ts',
    steps: [
      { run: 'src/server/index.ts', background: true, expect: /listening|started|3000/i },
      { run: 'src/clients/approve.ts', expect: /Done: \{ status: 'COMPLETED' \}/ },
      { run: 'src/clients/timeout.ts', expect: /Done: \{ status: 'TIMED_OUT' \}/ },
    ],
  },
  {
    folder: 'fetch-esm',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client-local.ts', expect: /Hello World And Hello Wonderful Temporal!/ }],
    note: '`client-local`; `client-fetch` fetches from the internet',
  },
  {
    folder: 'grpc-calls',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /WORKFLOW_EXECUTION_STARTED|eventType: 1|events:/ }],
  },
  { folder: 'hello-world', worker: 'src/worker.ts', steps: [{ run: 'src/client.ts', expect: hello }] },
  { folder: 'hello-world-js', worker: 'src/worker.js', steps: [{ run: 'src/client.js', expect: hello }] },
  {
    folder: 'hello-world-mtls',
    worker: 'src/worker.ts',
    env: { TEMPORAL_NAMESPACE: 'default' },
    steps: [{ run: 'src/client.ts', expect: hello }],
    note: 'its certificates are those of a Temporal server: set aside',
  },
  {
    folder: 'message-passing/execute-update',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /Final counter value is 1/ }],
  },
  {
    folder: 'message-passing/introduction',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /language changed: ENGLISH -> ARABIC|language changed[\s\S]*ARABIC/ }],
  },
  {
    folder: 'message-passing/safe-message-handlers',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/run-simulation.ts' }],
    timeoutSeconds: 90,
  },
  {
    folder: 'mutex',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/start-test-workflow.ts my-resource', expect: /Test workflow finished after/ }],
    timeoutSeconds: 60,
  },
  { folder: 'patching-api', worker: 'src/worker.ts', steps: [{ run: 'src/client.ts' }] },
  {
    folder: 'polling/infrequent',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /Hello, Temporal|OK|Started workflow/ }],
    timeoutSeconds: 400,
  },
  { folder: 'production', worker: 'src/worker.ts', steps: [{ run: 'src/client.ts', expect: hello }] },
  {
    folder: 'protobufs',
    worker: 'src/worker.ts',
    link: { protobufjs: '@temporalio/common/node_modules/protobufjs' },
    note: 'with the protobufjs of the SDK in place of an older one',
    prepare: [
      'npm:protobufjs-cli/bin/pbjs -t json-module -w commonjs -r protobuf-sample -o protos/json-module.js protos/messages.proto protos/namespaced-messages.proto',
    ],
    steps: [{ run: 'src/client.ts', expect: /Proto is 2 years old/ }],
  },
  { folder: 'query-subscriptions', steps: [], skip: 'needs a Redis server' },
  {
    folder: 'saga',
    worker: 'src/worker.ts',
    workerExpect: /compensat|failure/i,
    steps: [{ run: 'src/client.ts', expect: /account failed to open/, fails: true }],
    note: 'its expected end is a failure with compensations',
  },
  {
    folder: 'schedules',
    worker: 'src/worker.ts',
    workerExpect: /Dear future self/,
    steps: [
      { run: 'src/start-schedule.ts', expect: /Started schedule 'sample-schedule'/ },
      { run: 'src/trigger-schedule.ts' },
      { run: 'src/go-faster.ts', expect: /every 5 seconds/ },
      { run: 'src/update-schedule.ts' },
      { run: 'src/backfill-schedule.ts' },
      { run: 'src/pause-schedule.ts', expect: /now paused/ },
      { run: 'src/unpause-schedule.ts', expect: /now unpaused/ },
      { run: 'src/list-schedule.ts', expect: /sample-schedule/ },
      { run: 'src/describe-schedule.ts', expect: /"scheduleId":"sample-schedule"/ },
      { run: 'src/delete-schedule.ts', expect: /now deleted/ },
    ],
  },
  {
    folder: 'scratchpad',
    steps: [],
    skip: 'imports @temporalio/envconfig (fs, os, path) into the workflow bundle, which is refused as forbidden imports',
  },
  {
    folder: 'search-attributes',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /searchAttributes at end:[\s\S]*CustomDoubleField/ }],
    searchAttributes: {
      CustomIntField: 3,
      CustomBoolField: 5,
      CustomDatetimeField: 6,
      CustomTextField: 1,
      CustomKeywordField: 2,
      CustomKeywordListField: 7,
      CustomDoubleField: 4,
    },
  },
  {
    folder: 'signals-queries',
    worker: 'src/worker.ts',
    workerExpect: /Unblocked/,
    steps: [
      { run: 'src/start-workflow.ts', expect: /started/ },
      { run: 'src/query-workflow.ts', expect: /blocked\? true/ },
      { run: 'src/signal-workflow.ts', expect: /unblockSignal sent/ },
      { run: 'src/query-workflow.ts', expect: /blocked\? false/ },
      { run: 'src/start-workflow.ts', expect: /started/ },
      { run: 'src/cancel-workflow.ts', expect: /cancel/i },
    ],
  },
  {
    folder: 'sinks',
    worker: 'src/worker.ts',
    workerExpect: /sinkWorkflow|Workflow Run/i,
    steps: [{ run: 'src/client.ts', expect: hello }],
  },
  {
    folder: 'sleep-for-days',
    steps: [],
    skip: 'sleeps thirty days; its own tests, below, skip them',
  },
  {
    folder: 'state',
    worker: 'src/worker.ts',
    steps: [
      { run: 'src/start-workflow.ts', expect: /started/ },
      { run: 'src/signal-workflow.ts' },
      { run: 'src/query-workflow.ts', expect: /meaning: 42/ },
      { run: 'src/cancel-workflow.ts' },
    ],
  },
  {
    folder: 'timer-examples',
    worker: 'src/worker.ts',
    // Without MAILGUN_… settings it says so instead of sending an email.
    steps: [
      { run: 'src/clients/fast.ts', expect: /Order completed!/ },
      { run: 'src/clients/slow.ts', expect: /Order completed!/ },
      { run: 'src/clients/updating-timer.ts' },
    ],
    timeoutSeconds: 90,
  },
  {
    folder: 'timer-progress',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /complete/ }],
    timeoutSeconds: 60,
  },
  {
    folder: 'vscode-debugger',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts', expect: /Started workflow/ }],
    note: 'worker and client; the debug replayer is refused',
  },
  {
    folder: 'worker-specific-task-queues',
    worker: 'src/worker.ts',
    steps: [{ run: 'src/client.ts' }],
    timeoutSeconds: 90,
  },
  {
    folder: 'activities-examples',
    steps: [],
    skip: 'fetches from hosts on the internet; its own tests, below, do not',
  },
  { folder: 'food-delivery', steps: [], skip: 'a Next.js site; it has no script to run' },
  { folder: 'monorepo-folders', steps: [], skip: 'a yarn workspace with a web front end' },
  { folder: 'nextjs-ecommerce-oneclick', steps: [], skip: 'a Next.js site' },
  {
    folder: 'nestjs-exchange-rates',
    steps: [],
    skip: 'fetches from hosts on the internet; its own tests, below, do not',
  },
  {
    folder: 'interceptors-opentelemetry',
    steps: [],
    skip: 'its package gives workflow code a `performance` only where webpack made the bundle; it does not load without',
  },
  {
    folder: 'worker-versioning',
    worker: 'src/workerv1.ts',
    steps: [
      { run: 'src/workerv1_1.ts', background: true, expect: /RUNNING/ },
      { run: 'src/workerv2.ts', background: true, expect: /RUNNING/ },
      { run: 'src/app.ts', expect: /All workflows completed/ },
    ],
    timeoutSeconds: 90,
  },
  { folder: 'standalone-activity', steps: [], skip: 'standalone activities are refused for now' },
  {
    folder: 'nexus-hello, nexus-cancellation, nexus-messaging, nexus-standalone-operations',
    steps: [],
    skip: 'nexus is refused for now',
  },
  {
    folder: 'workflow-streams',
    worker: 'src/worker.ts',
    steps: [
      { run: 'src/run-publisher.ts', expect: /\[status\] complete: order=order-1[\s\S]*workflow result: / },
      { run: 'src/run-reconnecting-subscriber.ts' },
      { run: 'src/run-external-publisher.ts', expect: /workflow result: / },
      { run: 'src/run-truncating-ticker.ts', expect: /workflow result: / },
    ],
    timeoutSeconds: 90,
    note: 'but `run-llm`, which needs a key of OpenAI',
  },
  {
    folder: 'ai-sdk, langsmith, openai-agents, lambda-worker',
    steps: [],
    skip: 'need services on the internet; ai-sdk has tests, below, that do not',
  },
];
