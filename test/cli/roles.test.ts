/** `branchline roles`. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type TestSchema, freshSchema, sql } from '../support/database';
import { testLogin } from '../support/roles';
import { BRANCHLINE } from '../support/server-process';

function roles(...args: string[]): { status: number; out: string } {
  try {
    const out = execFileSync(process.execPath, [BRANCHLINE, 'roles', ...args], {
      stdio: 'pipe',
      env: { PATH: process.env.PATH },
    });
    return { status: 0, out: out.toString() };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
    return { status, out: stdout.toString() + stderr.toString() };
  }
}

const on = ({ url, schema }: TestSchema): string[] => ['--db', url, '--schema', schema];

describe('branchline roles', () => {
  it('installs, shows, gives, takes and uninstalls', async () => {
    const database = freshSchema();
    const prefix = database.schema;
    const named = [...on(database), '--prefix', prefix];
    expect(roles('show', ...on(database)).out).toContain('No roles are installed');
    const installed = roles('install', ...named);
    expect(installed.status, installed.out).toBe(0);
    expect(installed.out.trim().split('\n')).toEqual(
      ['admin', 'client', 'reader', 'worker'].map((kind) => `${prefix}_${kind}: all namespaces; members: none`),
    );
    const login = new URL((await testLogin(database)).url).username;
    expect(roles('grant', login, '--role', 'client', ...named).out).toBe(`${login} is in ${prefix}_client\n`);
    expect(roles('show', ...on(database)).out).toContain(`${prefix}_client: all namespaces; members: ${login}`);
    expect(roles('revoke', login, '--role', 'client', ...named).out).toContain('not in');
    expect(roles('uninstall', ...named).out).toContain(`${prefix}_worker is gone`);
    expect(roles('uninstall', ...named).out).toContain('No roles with prefix');
    // Nothing that runs was left by it: no lease, no connection.
    expect(await sql(`SELECT * FROM ${database.schema}.processes`)).toEqual([]);
  }, 60_000);

  it('restricts them to namespaces', async (context) => {
    const [version] = await sql<{ v: number }>(`SELECT current_setting('server_version_num')::int AS v`);
    context.skip(version!.v < 150_000, 'Postgres 14 cannot');
    const database = freshSchema();
    const named = [...on(database), '--prefix', database.schema];
    expect(roles('install', ...named, '--namespace', 'default').out).toContain(
      '_client: namespaces default; members: none',
    );
    expect(roles('install', ...named, '-n', 'default', '--tenant', 'acme')).toMatchObject({
      status: 1,
      out: expect.stringContaining('BRANCHLINE_OPTION') as string,
    });
    expect(
      roles('install', ...named, '-n', 'default', '--tenant', 'acme', '--tenant-attribute', 'Tenant').out,
    ).toContain('BRANCHLINE_ROLES_TENANT');
    expect(roles('install', ...named, '-n', 'nowhere').out).toContain('BRANCHLINE_ROLES_NAMESPACE');
    roles('uninstall', ...named);
  }, 60_000);

  it('prints the SQL without a database, and says what it cannot do', async () => {
    const { status, out } = roles(
      'install',
      '--print',
      '--schema',
      'flows',
      '--db',
      'postgres://nobody@127.0.0.1:1/none',
    );
    expect(status).toBe(0);
    expect(out).toContain('CREATE ROLE "branchline_reader" NOLOGIN');
    expect(out).toMatch(/GRANT SELECT ON "flows"\.\w+/);
    const database = freshSchema();
    const login = await testLogin(database);
    expect(roles('install', ...on(login), '--prefix', database.schema)).toMatchObject({
      status: 1,
      out: expect.stringMatching(/BRANCHLINE_(ROLES_RIGHTS|DATABASE_CONNECTION)/) as string,
    });
    expect(roles('grant', 'x', '--role', 'owner', ...on(database)).status).toBe(1);
    expect(roles('show', '--db', 'postgres://nobody@127.0.0.1:1/none').out).toContain('BRANCHLINE_DATABASE_CONNECTION');
  }, 60_000);
});
