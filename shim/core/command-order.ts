/** Splits what lang answered into commands for the machines and answers to queries, and puts the ending command last. */
import { isTerminal, variantOf } from './lang-commands';
import type { LangCommand, QueryResult } from './messages';

export interface SplitCommands {
  commands: LangCommand[];
  queryResults: QueryResult[];
}

/**
 * @param moveTerminals true: all commands are kept and the first that ends the workflow goes last (others that end it are
 * dropped). False, for histories older than that rule: everything after the first ending command is dropped.
 */
export function splitCommands(all: readonly LangCommand[], moveTerminals: boolean): SplitCommands {
  const commands: LangCommand[] = [];
  const queryResults: QueryResult[] = [];
  let terminal: LangCommand | undefined;
  for (const command of all) {
    if (command.respondToQuery) queryResults.push(command.respondToQuery);
    else if (isTerminal(variantOf(command))) terminal ??= command;
    else if (moveTerminals || terminal === undefined) commands.push(command);
  }
  if (terminal !== undefined) commands.push(terminal);
  return { commands, queryResults };
}
