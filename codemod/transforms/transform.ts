/** What a transform is: it looks at one parsed file and says which spans to replace and what it had to leave. */
import type { Direction } from '../packages';
import type { Edit } from '../source/edits';
import type { Modules } from '../source/origins';
import type { ParsedFile } from '../source/parse';

export interface Leftover {
  /** The code of the marker. */
  code: string;
  reason: string;
  offset: number;
}

export interface Note {
  reason: string;
  offset: number;
}

export interface Outcome {
  edits: Edit[];
  /** Left as it was, for a person: gets a marker. */
  leftovers: Leftover[];
  /** Worth knowing; no marker. */
  notes: Note[];
}

/** Of the way that keeps Temporal (`--workflows`). */
export interface Routing {
  /** The file with the routes, as a process that is started in the package's folder names it. */
  routesFrom(file: string): string;
  /** Whether a worker with this `workflowsPath` runs a type that moves; undefined: not known. */
  serves(file: string, specifier: string): boolean | undefined;
}

export interface Context {
  direction: Direction;
  modules: Modules;
  /** Given: Temporal's packages stay, and some types are routed to Postgres. */
  routing?: Routing;
}

export interface Transform {
  id: string;
  /** A cheap look: false when the text cannot concern this transform. */
  concerns(text: string, direction: Direction): boolean;
  apply(file: ParsedFile, context: Context): Outcome;
}

export const nothing = (): Outcome => ({ edits: [], leftovers: [], notes: [] });
