/** Two plain values, difference by difference. UUIDs need not be equal, only paired one to one, so references are compared too. */
import type { Plain } from './plain';

export interface Difference {
  /** Where, as `history.<workflow id>#<run>.<event>.<TYPE>.attributes.<field>` or `seen.<label>…`. */
  path: string;
  temporal: Plain | undefined;
  branchline: Plain | undefined;
}

/** What one engine gave for a scenario. */
export interface Observed {
  seen: { [label: string]: Plain };
  /** By `workflowId#n`, in the order of their starts. */
  histories: { [run: string]: { type: string; [key: string]: Plain }[] };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

export function compare(temporal: Observed, branchline: Observed): Difference[] {
  const differences = new Differences();
  differences.of('seen', temporal.seen, branchline.seen);
  for (const run of new Set([...Object.keys(temporal.histories), ...Object.keys(branchline.histories)])) {
    const [ours, theirs] = [branchline.histories[run], temporal.histories[run]];
    if (ours === undefined || theirs === undefined) {
      differences.found.push({ path: `history.${run}`, temporal: typesOf(theirs), branchline: typesOf(ours) });
      continue;
    }
    if (typesOf(ours) !== typesOf(theirs)) {
      differences.found.push({ path: `history.${run}.types`, temporal: typesOf(theirs), branchline: typesOf(ours) });
    }
    // Also behind an event that only one side has nothing can be aligned; the common beginning is compared.
    for (let i = 0; i < theirs.length && theirs[i]!.type === ours[i]?.type; i++) {
      differences.of(`history.${run}.${i + 1}.${theirs[i]!.type}`, theirs[i], ours[i]);
    }
  }
  return differences.found;
}

const typesOf = (events: { type: string }[] | undefined): string | undefined =>
  events?.map(({ type }) => type).join(' ');

class Differences {
  readonly found: Difference[] = [];
  private readonly pairs = new Map<string, string>();
  private readonly reverse = new Map<string, string>();

  of(path: string, temporal: Plain | undefined, branchline: Plain | undefined): void {
    if (typeof temporal === 'string' && typeof branchline === 'string') {
      if (!this.sameText(temporal, branchline)) this.found.push({ path, temporal, branchline });
    } else if (isObject(temporal) && isObject(branchline)) {
      for (const key of new Set([...Object.keys(temporal), ...Object.keys(branchline)])) {
        this.of(`${path}.${key}`, at(temporal, key), at(branchline, key));
      }
    } else if (temporal !== branchline) {
      this.found.push({ path, temporal, branchline });
    }
  }

  private sameText(temporal: string, branchline: string): boolean {
    if (temporal.replace(UUID, '<uuid>') !== branchline.replace(UUID, '<uuid>')) return false;
    const ours = branchline.match(UUID) ?? [];
    return (temporal.match(UUID) ?? []).every((uuid, i) => this.paired(uuid, ours[i]!));
  }

  private paired(temporal: string, branchline: string): boolean {
    const known = this.pairs.get(temporal);
    if (known !== undefined || this.reverse.has(branchline)) return known === branchline;
    this.pairs.set(temporal, branchline);
    this.reverse.set(branchline, temporal);
    return true;
  }
}

const isObject = (value: Plain | undefined): value is Plain[] | { [key: string]: Plain } =>
  typeof value === 'object' && value !== null;
const at = (value: Plain[] | { [key: string]: Plain }, key: string): Plain | undefined =>
  (value as { [key: string]: Plain })[key];
