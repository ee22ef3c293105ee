/** The one table of how compatible Branchline was found to be. No figure in it is typed by hand. */
import * as sources from './sources';

interface Row {
  judge: string;
  result: string;
  date: string;
}

const notRun = (judge: string): Row => ({ judge, result: 'not run', date: '' });

function tally<T extends { outcome: string }>(rows: T[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of rows) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

const told = (counts: Record<string, number>, names: Record<string, string>): string =>
  Object.entries(names)
    .map(([outcome, words]) => `${counts[outcome] ?? 0} ${words}`)
    .join(', ');

/** Listed differences (compatibility.json) that are a server's own numbers and stamps: nothing an application could see. */
const bookkeeping = new Set([
  'history-size',
  'measured-backoff',
  'measured-retry-interval',
  'namespace-ids',
  'stack-traces',
  'task-ids',
  'worker-version-stamp',
]);

function scenarios(): Row {
  const judge = 'Scenarios on a real Temporal server and on Branchline, histories compared';
  const found = sources.scenarios();
  if (found === undefined) return notRun(judge);
  const judged = found.value.map(({ outcome, differences }) => ({
    outcome: outcome === 'listed' && differences.every((one) => bookkeeping.has(one)) ? 'numbers' : outcome,
  }));
  const names = {
    equal: 'equal',
    numbers: "equal but for listed numbers and stamps of a server's own",
    listed: 'with another listed difference',
    failing: 'failing',
  };
  return { judge, result: `${judged.length}: ${told(tally(judged), names)}`, date: found.date };
}

function commands(): Row {
  const judge = "Commands of Temporal's own CLI through the gateway";
  const found = sources.commands();
  if (found === undefined) return notRun(judge);
  const names = { works: 'work', refused: 'refused with a sentence', failing: 'failing' };
  return { judge, result: `${found.value.length}: ${told(tally(found.value), names)}`, date: found.date };
}

function pages(): Row {
  const judge = "Pages and actions of Temporal's own Web UI through the gateway";
  const found = sources.pages();
  if (found === undefined) return notRun(judge);
  const { pages } = found.value;
  const counts = Object.entries(tally(pages)).map(([outcome, count]) => `${count} ${outcome}`);
  return { judge, result: `${pages.length}: ${counts.join(', ')}`, date: found.date };
}

const wayNames = {
  real: "The SDK's own suite on a real Temporal server (the measure)",
  gateway: "The SDK's own suite, official client and worker, on the gateway",
  core: "The SDK's own suite, official worker JavaScript, on our core",
  'drop-ins': "The SDK's own suite on the drop-ins",
};

function sdkSuite(): Row[] {
  const found = sources.sdkSuite();
  if (found.length === 0) return [notRun("The SDK's own suite")];
  return found.map(({ way, date, total: { files, passed, failed, percent } }) => ({
    judge: wayNames[way],
    result:
      way === 'real'
        ? `${files} files: ${passed} tests pass, ${failed} fail`
        : `${files} files: ${passed} of the ${passed + failed} tests that pass there (${percent.toFixed(1)} %)`,
    date,
  }));
}

function api(): Row[] {
  const found = sources.api();
  if (found === undefined) return [notRun('Names and options of the API')];
  return Object.entries(found.value.packages).map(([name, { names, options }]) => ({
    judge: `@temporalio/${name} ${found.value.sdk}`,
    result: `${names.all} names: ${names.supported} as there, ${names.deviates} differ, ${names.refused} refused; ${options.all} options: ${options.supported}, ${options.deviates}, ${options.refused}`,
    date: found.date,
  }));
}

function sdkVersions(): Row[] {
  const judge = (version: string): string => `The drop-ins on @temporalio packages ${version}, the lowest supported`;
  const found = sources.sdkVersions();
  if (found === undefined) return [notRun(judge(sources.lowestSdk()))];
  return found.value.map(({ version, date, tests, scenarios }) => {
    const of = ({ passed, failed }: { passed: number; failed: number }): string => `${passed} pass, ${failed} fail`;
    const told = scenarios === undefined ? 'not run' : of(scenarios);
    return { judge: judge(version), result: `tests: ${of(tests)}; scenarios: ${told}`, date };
  });
}

export function rows(): Row[] {
  return [scenarios(), commands(), pages(), ...sdkSuite(), ...sdkVersions(), ...api()];
}

export function markdown(all: Row[], versions: string): string {
  const lines = all.map(({ judge, result, date }) => `| ${judge} | ${result} | ${date} |`);
  return ['| judge | result | date |', '|---|---|---|', ...lines, '', versions].join('\n');
}
