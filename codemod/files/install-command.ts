/** Which command brings a lock file along. */
import { existsSync } from 'node:fs';
import path from 'node:path';

const LOCK_FILES: [string, string][] = [
  ['pnpm-lock.yaml', 'pnpm install'],
  ['yarn.lock', 'yarn install'],
  ['bun.lock', 'bun install'],
  ['bun.lockb', 'bun install'],
  ['package-lock.json', 'npm install'],
];

/** That of the nearest lock file, upwards. */
export function installCommand(root: string): string {
  for (let folder = root; ; folder = path.dirname(folder)) {
    const [, command] = LOCK_FILES.find(([name]) => existsSync(path.join(folder, name))) ?? [];
    if (command !== undefined) return command;
    if (path.dirname(folder) === folder) return 'npm install';
  }
}
