/** Why a file failed, for its report. */
import { SyntaxFault } from './source/parse';

export function reasonOf(error: unknown): string {
  if (error instanceof SyntaxFault)
    return `line ${error.at.line}, column ${error.at.column} does not parse: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
