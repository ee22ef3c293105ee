/** `compatibility.json`, as far as it speaks of names and options: what a Branchline of this version honours. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Entry {
  status: 'supported' | 'deviates' | 'refused';
  code?: string;
  sentence?: string;
}
type Entries = Record<string, Entry>;

interface Compatibility {
  temporal: { sdk: string; lowestSdk: string };
  rpcs: Record<string, Entries>;
  apis: Record<string, Entries>;
  options: Record<string, Entries>;
}

/** The folder of this package, from the sources and from lib/ alike. */
export const packageRoot = ((): string => {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'compatibility.json'))) folder = path.dirname(folder);
  return folder;
})();

const readJson = <T>(name: string): T => JSON.parse(readFileSync(path.join(packageRoot, name), 'utf8')) as T;

let read: Compatibility | undefined;
export const compatibility = (): Compatibility => (read ??= readJson<Compatibility>('compatibility.json'));

export const ownVersion = (): string => readJson<{ version: string }>('package.json').version;

/** The options of that table that are refused, by name (`telemetryOptions.metrics`), with the sentence. */
export function refusedOptions(table: string): Map<string, string> {
  return refused(compatibility().options[table] ?? {});
}

/** Names of a package (`Runtime.native`) that are refused or absent. `door`: client, worker, … */
export function refusedNames(door: string): Map<string, string> {
  return refused(compatibility().apis[`@temporalio/${door}`] ?? {});
}

/** RPCs, as the client spells them (`startActivityExecution`). */
export function refusedRpcs(): Map<string, string> {
  const all = Object.values(compatibility().rpcs).flatMap((service) => Object.entries(service));
  return refused(Object.fromEntries(all.map(([name, entry]) => [name.charAt(0).toLowerCase() + name.slice(1), entry])));
}

function refused(entries: Entries): Map<string, string> {
  const list = Object.entries(entries).filter(([, { status }]) => status === 'refused');
  return new Map(list.map(([name, { sentence = 'refused' }]) => [name, sentence]));
}
