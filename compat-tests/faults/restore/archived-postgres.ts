/** A Postgres that archives its WAL, base backups of it, and its restore to a moment: by Postgres's own means, its low-level API for backups among them. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../lib/testing/embedded-postgres';

export class ArchivedPostgres {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'branchline-restore-'));
  private readonly archive = path.join(this.folder, 'archive');
  private readonly backup = path.join(this.folder, 'backup');
  private server: RunningPostgres | undefined;

  get url(): string {
    return this.server!.url;
  }

  async start(): Promise<void> {
    chmodSync(this.folder, 0o755);
    mkdirSync(this.archive);
    // The server's user writes there.
    chmodSync(this.archive, 0o777);
    this.server = await startPostgres({ dataDir: path.join(this.folder, 'first'), settings: this.archiving() });
  }

  /** pg_backup_start, the files, pg_backup_stop. */
  async baseBackup(): Promise<void> {
    await this.query(async (client) => {
      await client.query(`SELECT pg_backup_start('restore', true)`);
      copyData(this.server!.dataDir, this.backup);
      const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(true)');
      writeFileSync(path.join(this.backup, 'backup_label'), rows[0]!.labelfile);
    });
  }

  /** A moment to which it can be restored. */
  async mark(name: string): Promise<void> {
    await this.query((client) => client.query('SELECT pg_create_restore_point($1)', [name]));
  }

  /** Its WAL up to now is in the archive when this resolves; then it crashes and its data are gone. */
  async destroy(): Promise<void> {
    await this.query(async (client) => {
      const { rows } = await client.query<{ segment: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS segment');
      const { segment } = rows[0]!;
      while (!readdirSync(this.archive).includes(segment)) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const { dataDir } = this.server!;
    await this.server!.kill();
    copyFileSync(`${dataDir}.password`, `${this.backup}.password`);
    rmSync(dataDir, { recursive: true });
  }

  /** The base backup, and from the archive what happened until that moment; on a new timeline. */
  async restore(name: string): Promise<void> {
    writeFileSync(path.join(this.backup, 'recovery.signal'), '');
    giveTo(statSync(path.join(this.backup, 'PG_VERSION')), this.backup);
    const { uid, gid } = statSync(path.join(this.backup, 'PG_VERSION'));
    chownSync(`${this.backup}.password`, uid, gid);
    this.server = await startPostgres({
      dataDir: this.backup,
      settings: {
        ...this.archiving(),
        restore_command: `cp ${this.archive}/%f %p`,
        recovery_target_name: name,
        recovery_target_action: 'promote',
      },
    });
    await this.query(async (client) => {
      const recovering = async (): Promise<boolean> =>
        (await client.query<{ still: boolean }>('SELECT pg_is_in_recovery() AS still')).rows[0]!.still;
      while (await recovering()) await new Promise((resolve) => setTimeout(resolve, 50));
    });
  }

  async remove(): Promise<void> {
    await this.server?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private archiving(): Record<string, string> {
    const to = `${this.archive}/%f`;
    return { archive_mode: 'on', archive_command: `test ! -f ${to} && cp %p ${to}.part && mv ${to}.part ${to}` };
  }

  private async query(work: (client: Client) => Promise<unknown>): Promise<void> {
    const client = new Client(this.url);
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }
}

/** What belongs to the running server stays behind; so does WAL, which the archive has. Files may go while they are copied. */
function copyData(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  const owner = statSync(from);
  chownSync(to, owner.uid, owner.gid);
  const isRoot = path.basename(from) === 'first';
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (isRoot && ['postmaster.pid', 'postmaster.opts'].includes(entry.name)) continue;
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (isRoot && entry.name === 'pg_wal') {
      mkdirSync(path.join(target, 'archive_status'), { recursive: true });
      giveTo(owner, target);
    } else if (entry.isDirectory()) copyData(source, target);
    else {
      try {
        copyFileSync(source, target);
        chownSync(target, owner.uid, owner.gid);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}

function giveTo({ uid, gid }: { uid: number; gid: number }, folder: string): void {
  chownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    if (entry.isDirectory()) giveTo({ uid, gid }, inside);
    else chownSync(inside, uid, gid);
  }
}
