/** `branchline assess`: which workflows of a repository move to Postgres, and why. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { MeasureOptions } from 'branchline/codemod';
import { loadCodemod, progress } from './load-codemod';

interface AssessFlags {
  output: 'text' | 'json';
  html?: string;
  thresholds?: string;
  temporal?: string;
  namespace?: string;
  window: string;
  sample: string;
}

export function assessCommand(): Command {
  return new Command('assess')
    .description('Tell which workflow types of a repository move to Postgres, and why')
    .argument('[path]', 'folder: a package, or a repository with several', '.')
    .addOption(new Option('-o, --output <form>', 'form on stdout').choices(['text', 'json']).default('text'))
    .option('--html <file>', 'write one page with table and graph, which needs nothing else')
    .option('--thresholds <file>', 'JSON with thresholds of your own; those left out keep their defaults')
    .option(
      '--temporal <address or profile>',
      'ask a running Temporal server too: host:port, or a profile of temporal.toml',
    )
    .option('--namespace <name>', 'namespace there (default: that of the profile, else "default")')
    .option('--window <hours>', 'count starts of the last hours', '24')
    .option('--sample <runs>', 'read the histories of so many closed runs of each type', '50')
    .addHelpText('after', '\nExample:\n  branchline assess --html assessment.html')
    .action(run);
}

async function run(path: string, flags: AssessFlags): Promise<void> {
  const { output, html, thresholds } = flags;
  const codemod = await loadCodemod();
  const { measure, close } = await server(codemod, flags);
  const assessment = await codemod
    .assess({
      root: path,
      ...measure,
      ...(thresholds === undefined ? {} : { thresholds: readThresholds(codemod, thresholds) }),
      onProgress: progress(),
    })
    .finally(close);
  if (html !== undefined) writeFileSync(html, codemod.assessmentPage(assessment));
  process.stdout.write(
    output === 'json' ? `${JSON.stringify(assessment, null, 2)}\n` : codemod.assessmentText(assessment),
  );
  if (assessment.failed.length > 0) process.exitCode = 1;
}

interface Server {
  measure?: { measure: MeasureOptions };
  close(): Promise<void>;
}

/** An address has a port; what has none is a profile. */
async function server(
  codemod: Awaited<ReturnType<typeof loadCodemod>>,
  { temporal, namespace, window, sample }: AssessFlags,
): Promise<Server> {
  if (temporal === undefined) return { close: () => Promise.resolve() };
  const [hours, runs] = [Number(window), Number(sample)];
  if (!(hours > 0) || !(Number.isInteger(runs) && runs >= 1 && runs <= 1000))
    throw new codemod.CodemodError(
      'BRANCHLINE_OPTION',
      '--window takes hours, --sample a number of runs from 1 to 1000.',
    );
  const { Connection } = await import('@temporalio/client');
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const config = temporal.includes(':') ? undefined : loadClientConnectConfig({ profile: temporal });
  const connection = await Connection.connect(config?.connectionOptions ?? { address: temporal });
  const options = {
    service: connection.workflowService,
    namespace: namespace ?? config?.namespace ?? 'default',
    windowMs: hours * 3_600_000,
    sample: runs,
  };
  return { measure: { measure: options }, close: () => connection.close() };
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
