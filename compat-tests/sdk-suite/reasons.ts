/** Why tests of the suite fail that pass on a real server: one entry per test, found by a part of its title. */

interface Reason {
  file: string;
  /** Part of the title; '' for every test of the file. */
  title: string;
  reason: string;
}

const load =
  'Waits of five and ten seconds ran out: the last run was on two cores with a load of about twenty. It passes when it is run alone.';

const reasons: Reason[] = [
  { file: 'async-completion', title: 'Standalone', reason: 'Standalone activities are refused.' },
  {
    file: 'integration-activities',
    title: 'paused and reset',
    reason:
      'The test sends a pause and a reset at once. Where the pause comes first, the reset ends it, as on Temporal 1.32; the test expects the reset first.',
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
  { file: 'integration-update', title: '', reason: load },
  { file: 'integration-workflow-info', title: '', reason: load },
  { file: 'integration-workflows-with-recorded-logs', title: '', reason: load },
];

export function reasonFor(file: string, title: string): string {
  const found = reasons.find((one) => one.file === file && title.includes(one.title));
  return found?.reason ?? 'Not explained yet.';
}
