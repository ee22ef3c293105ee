/** Temporal's own CLI, which carries a real dev server: where it is on this machine. */
import { type Tool, findTool, toolOrSkip } from './tools';

const TEMPORAL_CLI: Tool = {
  title: "Temporal's CLI",
  executables: ['temporal'],
  variable: 'TEMPORAL_CLI',
  howToInstall: 'go install github.com/temporalio/cli/cmd/temporal@v1.5.1',
};

export const HOW_TO_INSTALL = TEMPORAL_CLI.howToInstall;

/** @throws Error when TEMPORAL_CLI names no executable */
export const findTemporalCli = (): string | undefined => findTool(TEMPORAL_CLI);

/** @throws Error without the CLI when CI is set */
export const temporalCliOrSkip = (what: string): string | undefined => toolOrSkip(TEMPORAL_CLI, what);
