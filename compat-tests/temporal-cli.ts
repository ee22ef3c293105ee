/** Temporal's own CLI, which carries a real dev server: where it is on this machine. */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export const HOW_TO_INSTALL = 'go install github.com/temporalio/cli/cmd/temporal@v1.5.1';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Its path: TEMPORAL_CLI, else `temporal` on the PATH, else Go's default place; undefined when there is none.
 * @throws Error when TEMPORAL_CLI names no executable
 */
export function findTemporalCli(): string | undefined {
  const named = process.env.TEMPORAL_CLI;
  if (named) {
    if (!isExecutable(named)) throw new Error(`TEMPORAL_CLI is '${named}', which is not an executable file.`);
    return named;
  }
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const gobin = process.env.GOBIN || join(process.env.GOPATH || join(homedir(), 'go'), 'bin');
  return [...directories, gobin].map((directory) => join(directory, 'temporal')).find(isExecutable);
}

/**
 * The same for tests: without the CLI it prints what is skipped and how to get it, and answers undefined.
 * @throws Error without the CLI when CI is set: there the judges are mandatory
 */
export function temporalCliOrSkip(what: string): string | undefined {
  const path = findTemporalCli();
  if (path !== undefined) return path;
  const sentence = `${what} needs Temporal's CLI, which is not on this machine. Get it with \`${HOW_TO_INSTALL}\`, or name it in TEMPORAL_CLI.`;
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return undefined;
}
