/** `branchline assess`: which workflows of a repository move to Postgres, and why. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { loadCodemod, progress } from './load-codemod';

interface AssessFlags {
  output: 'text' | 'json';
  html?: string;
  thresholds?: string;
}

export function assessCommand(): Command {
  return new Command('assess')
    .description('Tell which workflow types of a repository move to Postgres, and why')
    .argument('[path]', 'folder: a package, or a repository with several', '.')
    .addOption(new Option('-o, --output <form>', 'form on stdout').choices(['text', 'json']).default('text'))
    .option('--html <file>', 'write one page with table and graph, which needs nothing else')
    .option('--thresholds <file>', 'JSON with thresholds of your own; those left out keep their defaults')
    .addHelpText('after', '\nExample:\n  branchline assess --html assessment.html')
    .action(run);
}

async function run(path: string, { output, html, thresholds }: AssessFlags): Promise<void> {
  const codemod = await loadCodemod();
  const assessment = await codemod.assess({
    root: path,
    ...(thresholds === undefined ? {} : { thresholds: readThresholds(codemod, thresholds) }),
    onProgress: progress(),
  });
  if (html !== undefined) writeFileSync(html, codemod.assessmentPage(assessment));
  process.stdout.write(
    output === 'json' ? `${JSON.stringify(assessment, null, 2)}\n` : codemod.assessmentText(assessment),
  );
  if (assessment.failed.length > 0) process.exitCode = 1;
}

function readThresholds(
  codemod: Awaited<ReturnType<typeof loadCodemod>>,
  file: string,
): ReturnType<typeof codemod.thresholdsFrom> {
  try {
    return codemod.thresholdsFrom(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new codemod.CodemodError('BRANCHLINE_THRESHOLDS', `${file}: ${(error as Error).message}`);
  }
}
