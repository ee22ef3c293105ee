/** One pass over many files that can be broken off and gone on with: what is done, and how long the rest will take. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SuiteFile, Way } from './files';
import type { Results } from './results';

export interface Work {
  way: Way;
  file: SuiteFile;
}

const keyOf = ({ way, file }: Work): string => `${way}/${file.name}`;

/** Of a file that was never timed. */
const assumedSeconds = 40;

/** By what each took last, in minutes. */
export function expectedMinutes(results: Results, work: readonly Work[]): number {
  const seconds = work.map(({ way, file }) => results[way]?.files[file.name]?.seconds ?? assumedSeconds);
  return seconds.reduce((sum, one) => sum + one, 0) / 60;
}

export class Pass {
  private readonly done: Set<string>;

  /** Goes on with the pass that `stateFile` tells of, if there is one. */
  constructor(private readonly stateFile: string) {
    const told = existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as string[]) : [];
    this.done = new Set(told);
  }

  isDone(work: Work): boolean {
    return this.done.has(keyOf(work));
  }

  add(work: Work): void {
    this.done.add(keyOf(work));
    mkdirSync(path.dirname(this.stateFile), { recursive: true });
    writeFileSync(this.stateFile, `${JSON.stringify([...this.done], null, 2)}\n`);
  }

  /** The next pass begins anew. */
  end(): void {
    this.done.clear();
    rmSync(this.stateFile, { force: true });
  }
}
