/** Where the keeper of the shared test Postgres is found: a local socket that only this user can reach. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';

/** What the keeper says to whoever connects: one line of JSON. */
export type KeeperGreeting = { url: string } | { error: string };

/** Installations of their own get a keeper of their own: it runs their binaries and their code. */
export function keeperAddress(): string {
  const chosen = process.env.BRANCHLINE_POSTGRES_BIN ?? '';
  const key = createHash('sha256')
    .update(`${path.resolve(__dirname, '../..')}\n${chosen}`)
    .digest('hex')
    .slice(0, 12);
  const { uid, username } = userInfo();
  if (process.platform === 'win32') return `\\\\.\\pipe\\branchline-testing-${username}-${key}`;
  const folder = path.join(tmpdir(), `branchline-testing-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return path.join(folder, `${key}.sock`);
}
