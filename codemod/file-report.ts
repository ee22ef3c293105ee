/** What became of each file, and why. */
export interface Place {
  line: number;
  reason: string;
}

export interface FileReport {
  /** Relative to the folder that was worked on, with `/`. */
  path: string;
  /** `changed`; `nothing` to do; `person`: something is left for one (it may be changed as well); `failed`: left as it was. */
  status: 'changed' | 'nothing' | 'person' | 'failed';
  /** One sentence: why the status. */
  reason: string;
  changed: boolean;
  /** Each has a marker in the code, at the line (as the file is afterwards), unless the file cannot hold comments. */
  leftovers: (Place & { code: string })[];
  notes: Place[];
}

export interface CodemodReport {
  direction: 'forward' | 'reverse';
  root: string;
  /** False: nothing on the disk was touched. */
  written: boolean;
  files: FileReport[];
  totals: Record<FileReport['status'], number> & { files: number; leftovers: number };
  /** A unified diff of all changes. */
  diff: string;
  /** Dependencies changed: what installs them. */
  install?: string;
  /** Code changed, and no package.json says what it depends on. */
  noPackage?: true;
}

export interface Seen {
  path: string;
  reason?: string;
  changed?: boolean;
  changes?: number;
  leftovers?: FileReport['leftovers'];
  notes?: Place[];
  failed?: string;
}

export function fileReport({
  path,
  reason,
  changed = false,
  changes = 0,
  leftovers = [],
  notes = [],
  failed,
}: Seen): FileReport {
  const base = { path, changed, leftovers, notes };
  if (failed !== undefined) return { ...base, status: 'failed', reason: failed };
  if (leftovers.length > 0) {
    const places = leftovers.length === 1 ? '1 place is' : `${leftovers.length} places are`;
    return { ...base, status: 'person', reason: `${places} left for a person` };
  }
  if (changed)
    return {
      ...base,
      status: 'changed',
      reason: reason ?? (changes === 0 ? 'markers only' : `${changes} ${changes === 1 ? 'place' : 'places'}`),
    };
  return { ...base, status: 'nothing', reason: reason ?? 'names nothing that would change' };
}

export function totalsOf(files: readonly FileReport[]): CodemodReport['totals'] {
  const count = (status: FileReport['status']): number => files.filter((file) => file.status === status).length;
  return {
    files: files.length,
    changed: count('changed'),
    nothing: count('nothing'),
    person: count('person'),
    failed: count('failed'),
    leftovers: files.reduce((sum, { leftovers }) => sum + leftovers.length, 0),
  };
}
