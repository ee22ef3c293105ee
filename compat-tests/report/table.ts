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

function scenarios(): Row {
  const judge = 'Scenarios on a real Temporal server and on Branchline, histories compared';
  const found = sources.scenarios();
  if (found === undefined) return notRun(judge);
  const names = { equal: 'equal', listed: 'listed as different', failing: 'failing' };
  return { judge, result: `${found.value.length}: ${told(tally(found.value), names)}`, date: found.date };
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
  const counts = Object.entries(tally(found.value)).map(([outcome, count]) => `${count} ${outcome}`);
  return { judge, result: `${found.value.length}: ${counts.join(', ')}`, date: found.date };
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

export function rows(): Row[] {
  return [scenarios(), commands(), pages(), ...sdkSuite(), ...api()];
}

export function markdown(all: Row[], versions: string): string {
  const lines = all.map(({ judge, result, date }) => `| ${judge} | ${result} | ${date} |`);
  return ['| judge | result | date |', '|---|---|---|', ...lines, '', versions].join('\n');
}
