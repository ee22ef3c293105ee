/** Other people's programs that judge us: where they are on this machine. */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Tool {
  /** What it is, as a sentence names it. */
  title: string;
  /** Names of the executable, the usual one first. */
  executables: string[];
  /** Environment variable that names it. */
  variable: string;
  howToInstall: string;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The tool's path: what its variable names, else what is on the PATH, else in Go's default place; undefined when there is none.
 * @throws Error when the variable names no executable
 */
export function findTool({ executables, variable }: Tool): string | undefined {
  const named = process.env[variable];
  if (named) {
    if (!isExecutable(named)) throw new Error(`${variable} is '${named}', which is not an executable file.`);
    return named;
  }
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const gobin = process.env.GOBIN || join(process.env.GOPATH || join(homedir(), 'go'), 'bin');
  return executables
    .flatMap((executable) => [...directories, gobin].map((directory) => join(directory, executable)))
    .find(isExecutable);
}

/**
 * The same for tests: without the tool it prints what is skipped and how to get it, and answers undefined.
 * @throws Error without the tool when CI is set: there the judges are mandatory
 */
export function toolOrSkip(tool: Tool, what: string): string | undefined {
  const path = findTool(tool);
  if (path !== undefined) return path;
  const sentence = `${what} needs ${tool.title}, which is not on this machine. Get it with \`${tool.howToInstall}\`, or name it in ${tool.variable}.`;
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return undefined;
}
