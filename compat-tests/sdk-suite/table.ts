/** The tables of compat-tests/sdk-suite.md, written from the results between two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { files, leftOut, ways, type SuiteFile, type Way } from './files';
import { failing, listedTest } from './listed';
import { judge, total, type Results } from './results';

const page = path.resolve(__dirname, '../sdk-suite.md');
const [begin, end] = ['<!-- results: written by npm run compat:sdk -->', '<!-- end of results -->'];

export function writeTable(results: Results): void {
  const text = readFileSync(page, 'utf8');
  const [before] = text.split(begin);
  const [, after] = text.split(end);
  writeFileSync(page, `${before}${begin}\n\n${tables(results)}\n\n${end}${after}`);
}

function tables(results: Results): string {
  const judged = ways.filter((way) => way !== 'real');
  return [
    totals(results),
    '## File by file\n\nPassed / failed of the tests that pass on a real server.',
    [
      `| file | on a real server | ${judged.join(' | ')} |`,
      `| --- | --- | ${judged.map(() => '---').join(' | ')} |`,
      ...files.map((file) => `| ${file.name} | ${[...ways].map((way) => cell(results, way, file)).join(' | ')} |`),
    ].join('\n'),
    `## What fails, and why\n\nThe names are those of the entries in the part \`differences\` of compatibility.json.\n\n${failures(results)}`,
    `## What a way cannot judge\n\n${notApplicable(judged)}`,
    `## Files that are not run\n\n${Object.entries(leftOut)
      .map(([name, reason]) => `- ${name}: ${reason}.`)
      .join('\n')}`,
  ].join('\n\n');
}

function totals(results: Results): string {
  const rows = ways.map((way) => {
    const { files: count, passed, failed, percent } = total(results, way);
    const { date = '', versions = {} } = results[way] ?? {};
    const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return `| ${way} | ${count} | ${passed} | ${failed} | ${percent.toFixed(1)} % | ${date} | ${made.join(', ')} |`;
  });
  return [
    '| way | files | passed | failed | of those that pass on a real server | last run | versions |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function cell(results: Results, way: Way, { name, notApplicable }: SuiteFile): string {
  if (notApplicable[way] !== undefined) return 'not applicable';
  const judged = judge(results, way, name);
  return judged === undefined ? 'not run' : `${judged.passed} / ${judged.failed.length + judged.missing}`;
}

function failures(results: Results): string {
  const lines = failing(results).map(({ way, file, title }) => {
    const listed = listedTest(file, title);
    return `- ${way}, ${file}, “${title}”: ${listed === undefined ? 'not listed' : `\`${listed.id}\`. ${listed.reason}`}`;
  });
  return lines.join('\n');
}

function notApplicable(judged: readonly Way[]): string {
  const lines = judged.flatMap((way) =>
    files.flatMap(({ name, notApplicable }) => {
      const reason = notApplicable[way];
      return reason === undefined ? [] : [`- ${way}, ${name}: ${reason}.`];
    }),
  );
  return lines.join('\n');
}
