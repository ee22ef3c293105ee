/** The one change that is made to a sample: where its imports and its connection lead. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The packages that have a drop-in; envconfig and the like stay Temporal's own. */
export const swapped = ['client', 'worker', 'workflow', 'activity', 'common', 'testing'];
const specifier = new RegExp(`(['"])@temporalio/(${swapped.join('|')})(?=['"/])`, 'g');

/** @temporalio/worker → branchline/worker, …, in all sources of the folder; and the address, where it is spelt out and a URL is given. */
export function swap(folder: string, url?: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.(ts|js|mts|cts|mjs|cjs)$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (file.includes('node_modules')) continue;
    const before = readFileSync(file, 'utf8');
    let after = before.replace(specifier, '$1branchline/$2');
    if (url !== undefined) after = after.replace(/(['"])localhost:7233\1/g, `'${url}'`);
    if (after !== before) writeFileSync(file, after);
  }
}
