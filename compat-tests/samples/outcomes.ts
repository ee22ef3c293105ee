/** What came of each folder, kept in compat-tests/out so that folders can be run alone, and the tables made of it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeSection } from '../report/section';

interface Outcome {
  outcome: string;
  date: string;
}

const page = path.resolve(__dirname, '../../docs/compatibility.md');
const out = path.resolve(__dirname, '../out');

export class Outcomes {
  private readonly file: string;
  private readonly known: Record<string, Outcome>;

  /** @param name of the file in compat-tests/out */
  constructor(name: string) {
    this.file = path.join(out, `${name}.json`);
    this.known = existsSync(this.file) ? (JSON.parse(readFileSync(this.file, 'utf8')) as Record<string, Outcome>) : {};
  }

  record(folder: string, outcome: string): void {
    this.known[folder] = { outcome, date: new Date().toISOString().slice(0, 10) };
    mkdirSync(out, { recursive: true });
    writeFileSync(this.file, `${JSON.stringify(this.known, null, 2)}\n`);
  }

  /** One row for each of the folders: what came of it last, or why it is not run. */
  table(folders: readonly { folder: string; skip?: string }[]): string {
    const rows = folders.map(({ folder, skip }) => {
      if (skip !== undefined) return `| ${folder} | not run: ${skip} | |`;
      const { outcome, date } = this.known[folder] ?? { outcome: 'not run yet', date: '' };
      return `| ${folder} | ${outcome} | ${date} |`;
    });
    const passed = rows.filter((row) => row.includes('| passed')).length;
    return ['| sample | outcome | date |', '|---|---|---|', ...rows, '', `${passed} folders pass.`].join('\n');
  }

  /** Prints the table, and puts it into docs/compatibility.md if asked to. */
  tell(folders: readonly { folder: string; skip?: string }[], section: string | undefined): void {
    const table = this.table(folders);
    console.log(table);
    if (section !== undefined) writeSection(page, section, table);
  }
}
