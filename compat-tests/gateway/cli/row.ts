/** One command of the stock CLI. */
import type { CliBench } from './bench';

export interface Row {
  /** As it is listed in the results. */
  command: string;
  /** The RPC (lowerCamel) that decides whether it works here: refused ones are listed in compatibility.json. */
  needs?: string;
  /** Runs it and looks at its output; called when what it needs is there. A row without it stands for a refusal that is meant to stay. */
  works?: (bench: CliBench) => Promise<void>;
  /** Arguments that lead to the refusal; only for rows whose `needs` may be refused. */
  refused?: (bench: CliBench) => Promise<string[]>;
}
