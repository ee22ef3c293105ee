/** Why tests of the suite fail that pass on a real server: one entry per test, found by a part of its title. */

interface Reason {
  file: string;
  /** Part of the title; '' for every test of the file. */
  title: string;
  reason: string;
}

const load =
  'Waits of five and ten seconds ran out: the last run of the file was on two cores with a load of about twenty, beside other test runs.';

const reasons: Reason[] = [
  { file: 'async-completion', title: 'Standalone', reason: 'Standalone activities are refused.' },
  {
    file: 'integration-activities',
    title: 'paused and reset',
    reason:
      'The test sends a pause and a reset at once. Where the pause comes first, the reset ends it, as on Temporal 1.32; the test expects the reset first.',
  },
  {
    file: 'integration-activities',
    title: 'heartbeating activities after shutdown',
    reason:
      "The test's activity waits for the shutdown once its signal is acknowledged. In one process the workflow has answered the signal and shut the worker down by then.",
  },
  {
    file: 'integration-activities',
    title: 'cancelled via pause and retry',
    reason:
      "Calls through an activity's getClient() end with the activity's cancellation, as Temporal documents; its NativeConnection does not do so yet, and the test relies on that.",
  },
  {
    file: 'integration-split-one',
    title: 'activity-failure',
    reason: 'Compares the stack trace line by line; that of our activity runner has other frames.',
  },
  {
    file: 'integration-split-one',
    title: 'Worker default ServerOptions',
    reason: "Compares the compiled options of Temporal's worker.",
  },
  {
    file: 'integration-split-one',
    title: '',
    reason: "Compares the build id that Temporal's worker makes up; ours begins with branchline.",
  },
  {
    file: 'integration-split-two',
    title: 'with defaults',
    reason: "Compares the build id that Temporal's worker makes up; ours begins with branchline.",
  },
  {
    file: 'integration-split-three',
    title: 'Enhanced stack trace',
    reason: 'Positions come from the bundlers: webpack there, esbuild here.',
  },
  {
    file: 'integration-workflow-start',
    title: 'Eager Activity Dispatch if possible',
    reason:
      'Eager activity dispatch is not asked for: polls that wait in the process are handed activities at once, of whichever worker of the process they are.',
  },
  {
    file: 'worker-lifecycle',
    title: 'Worker shuts down gracefully',
    reason: 'It looks for the state DRAINING, which our core has left when it looks: waiting polls end at once.',
  },
  {
    file: 'payload-size-limits',
    title: 'disablePayloadErrorLimit',
    reason: "Sets the limits of Temporal's server by its dynamic configuration; Branchline's are fixed.",
  },
  {
    file: 'bundler',
    title: 'webpack',
    reason: 'Workflow code is bundled by esbuild: webpackConfigHook is refused, and there is no webpack cache.',
  },
  {
    file: 'bundler',
    title: 'module cache',
    reason: 'Looks for the way webpack keeps modules; workflow code is bundled by esbuild.',
  },
  {
    file: 'bundler',
    title: 'does not include @temporalio/proto',
    reason: "Looks for webpack's source map; the size, which it is about, fits.",
  },
  {
    file: 'workflow-unhandled-rejection-crash',
    title: '',
    reason: 'Our worker does not crash: it fails the task of the run that left the rejection, and the test waits on.',
  },
  { file: 'integration-update', title: '', reason: load },
  { file: 'integration-workflow-info', title: '', reason: load },
  { file: 'integration-workflows-with-recorded-logs', title: '', reason: load },
];

export function reasonFor(file: string, title: string): string {
  const found = reasons.find((one) => one.file === file && title.includes(one.title));
  return found?.reason ?? 'Not explained yet.';
}
