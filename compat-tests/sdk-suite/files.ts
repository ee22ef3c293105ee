/** The files of the SDK's own suite (test-*.ts of packages/test) that are run, what each needs, and by which ways it can say something. */

/** `real` is the measure: the same files on Temporal's own server. The others are compat-tests/sdk-suite.md's three ways. */
export const ways = ['real', 'gateway', 'core', 'drop-ins'] as const;
export type Way = (typeof ways)[number];

export interface SuiteFile {
  name: string;
  /** The file connects to localhost:7233 without asking for a server. */
  defaultServer: boolean;
  /** Why a way cannot say anything about this file; absent for the ways that can. */
  notApplicable: Partial<Record<Way, string>>;
}

type NotApplicable = SuiteFile['notApplicable'];

const native = "is about Temporal's native library itself";
const noServer = 'no server is involved';
const officialParts = "is about the insides of Temporal's worker or client package";

const testServer = "downloads Temporal's time-skipping server";

const everyWay: NotApplicable = {};
/** About Temporal's native core, which only the gateway leaves in place. */
const nativeCore: NotApplicable = { core: native, 'drop-ins': native };
/** Asks for Temporal's time-skipping server, which is downloaded; branchline/testing stands for it. */
const timeSkipping: NotApplicable = { real: testServer, gateway: testServer, core: testServer };
/** Judges JavaScript of Temporal's packages alone. */
const packagesOnly: NotApplicable = { gateway: noServer, core: noServer, 'drop-ins': officialParts };
/** No server, but the worker or its parts at work. */
const workerOnly: NotApplicable = { gateway: noServer };
const workerInsides: NotApplicable = { gateway: noServer, 'drop-ins': officialParts };

const rows: [names: string, defaultServer: boolean, notApplicable: NotApplicable][] = [
  [
    `client-errors default-activity default-workflow failure-converter integration-activities integration-cancellation-scopes
     integration-patch-activation-callback integration-replay-and-flags integration-reserved-prefixes integration-split-one
     integration-split-two integration-split-three integration-update integration-update-interceptors integration-workflow-info
     integration-extstore integration-workflow-start integration-workflows-with-recorded-logs isolation local-activities plugins random-stream-reset
     serialization-context serialization-context-codec signal-query-patch typed-search-attributes workflow-cancellation
     workflow-fail-on-errors-policy workflow-log-interceptor worker-deployment-versioning`,
    false,
    everyWay,
  ],
  [
    `async-completion bundler custom-payload-codec custom-payload-converter interceptors nyc-coverage patch-and-condition payload-converter schedules
     signals-are-always-delivered sinks worker-debug-mode worker-exposes-abortcontroller worker-exposes-textencoderdecoder worker-lifecycle
     worker-no-activities worker-no-workflows worker-versioning workflow-unhandled-rejection-crash`,
    true,
    everyWay,
  ],
  ['testenvironment', false, timeSkipping],
  ['integration-envconfig', false, { 'drop-ins': 'asks for a gRPC address' }],
  ['metrics-custom payload-size-limits worker-poller-autoscale worker-tuner', false, nativeCore],
  ['native-connection runtime runtime-prometheus', true, nativeCore],
  ['worker-connection-replacement', false, nativeCore],
  ['replay', false, workerOnly],
  ['workflows', false, workerInsides],
  [
    'worker-activities worker-heartbeats workflow-codec-runner activity-log-interceptor random-streams',
    false,
    workerInsides,
  ],
  [
    `data-converter extstore-config extstore-helpers extstore-runner extstore-visit extstore-worker-options interface-type-safety
     iterators-utils logger nexus-standalone-types patch-root proto-utils server-options worker-options worker-versioning-unit`,
    false,
    packagesOnly,
  ],
];

export const files: SuiteFile[] = rows
  .flatMap(([names, defaultServer, notApplicable]) =>
    names.split(/\s+/).map((name) => ({ name, defaultServer, notApplicable })),
  )
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Files that none of the ways is about, and why. */
export const leftOut: Record<string, string> = {
  bridge: native,
  'runtime-otel': "is about the native library's exporter",
  'runtime-buffered-metrics': "is about the native library's metrics buffer",
  'client-connection': 'speaks to a gRPC server of its own',
  'native-connection-headers': 'speaks to a gRPC server of its own',
  'ephemeral-server': 'downloads a server',
  'temporal-cloud': 'needs an account of Temporal Cloud',
  'lambda-worker': 'is about @temporalio/lambda-worker, of which there is no drop-in',
  'standalone-activities': 'standalone activities are refused',
  'integration-extstore-nexus': 'Nexus is refused',
  'nexus-codec-converter-errors': 'Nexus is refused',
  'nexus-handler': 'makes a Nexus endpoint before each test; Nexus is refused',
  'nexus-operation-timeouts': 'Nexus is refused',
  'nexus-signal-linking': 'Nexus is refused',
  'nexus-standalone': 'Nexus is refused',
  'nexus-temporal-operation': 'Nexus is refused',
  'nexus-update-operation': 'Nexus is refused',
  'nexus-workflow-caller': 'Nexus is refused',
  'workflow-nexus-cancellation': 'Nexus is refused',
  'workflow-async-local-storage': 'does not end here on a real server either',
};
