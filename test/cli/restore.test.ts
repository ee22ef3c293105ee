/** `branchline restore`, as an operator runs it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../shim/service/restore/restore';
import { afterTest, sql, type TestSchema } from '../support/database';
import { testClient } from '../support/connection';
import { BRANCHLINE } from '../support/server-process';

interface Ended {
  status: number | null;
  out: string;
}

function restore(database: TestSchema, ...args: string[]): Ended {
  const all = [BRANCHLINE, 'restore', ...args, '--db', database.url, '--schema', database.schema];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
  return { status, out: stdout + stderr };
}

test('branchline restore checks, decides and releases, and says what to do', async () => {
  const { client, database } = await testClient();
  const start = (type: string, workflowId: string): Promise<unknown> =>
    client.workflow.start(type, { taskQueue: 'nobody', workflowId });
  await start('transfer', 'pay-1');
  await start('transfer', 'pay-2');
  const report = await start('report', 'report-1').then(() => restore(database, 'check'));
  expect(report).toMatchObject({ status: 0, out: expect.stringContaining('The fence is down') as string });
  expect(restore(database, 'release')).toMatchObject({
    status: 1,
    out: expect.stringContaining('BRANCHLINE_NOT_FENCED') as string,
  });
  const raised = await raiseBeside(database);
  expect(raised.out).toContain('The fence is up.\nProcesses alive: 1. They stand still: 1.');
  expect(raised.status).toBe(0);

  const folder = mkdtempSync(join(tmpdir(), 'branchline-journal-'));
  afterTest(() => Promise.resolve(rmSync(folder, { recursive: true })));
  const journal = join(folder, 'effects.jsonl');
  const entry = { event: 'start', at: Date.now(), namespace: 'default', workflowType: 'transfer', attempt: 1 };
  const lost = { runId: '01a00000-0000-7000-8000-000000000000', workflowId: 'pay-9', activityId: '1' };
  writeFileSync(journal, `${JSON.stringify({ ...entry, ...lost, activityType: 'charge', local: false })}\n`);
  const checked = restore(database, 'check', '--journal', journal);
  expect(checked.status).toBe(2);
  expect(checked.out).toContain('[undecided] transfer pay-1');
  expect(checked.out).toMatch(
    /not in the database \(1\):\n {2}transfer pay-9 .*\n {6}MAY HAVE HAD EFFECTS: activity charge/u,
  );

  expect(restore(database, 'hold')).toMatchObject({
    status: 1,
    out: expect.stringContaining('one of <id>, --type <name> and --all') as string,
  });
  expect(restore(database, 'hold', 'pay-7')).toMatchObject({
    status: 1,
    out: expect.stringContaining('BRANCHLINE_RESTORE_NO_RUN') as string,
  });
  expect(restore(database, 'resume', '--type', 'transfer').out).toContain('resume: 2 runs');
  expect(restore(database, 'hold', 'pay-2').out).toContain('hold: 1 run\n');
  const undecided = restore(database, 'release');
  expect(undecided.status).toBe(2);
  expect(undecided.out).toContain('--rest');
  const json = restore(database, 'check', '--output', 'json');
  const { runs } = JSON.parse(json.out) as Report;
  expect(runs.map(({ workflowId, standing }) => [workflowId, standing])).toEqual([
    ['pay-1', 'toResume'],
    ['pay-2', 'toHold'],
    ['report-1', 'undecided'],
  ]);
  expect(runs[0]?.waitsFor).toMatchObject([{ kind: 'workflow task' }]);
  const released = restore(database, 'release', '--rest', 'cancel', '--by', 'ada');
  expect(released).toEqual({ status: 0, out: 'The fence is down. 1 run is held.\n' });
  expect(await sql(`SELECT released_by FROM "${database.schema}".fence`)).toEqual([{ released_by: 'ada' }]);
  expect(restore(database, 'check').out).toMatch(/Held \(1\):\n {2}\[held\] transfer pay-2/u);
  await expect(client.workflow.getHandle('pay-2').signal('any')).rejects.toMatchObject({
    cause: expect.objectContaining({ details: expect.stringContaining('BRANCHLINE_RUN_HELD') as string }) as object,
  });
  expect(restore(database, 'cancel', 'pay-2').status).toBe(0);
  expect(restore(database, 'check').out).toContain('No runs are held.');
  expect(restore(database, 'on-new-timeline', 'continue').out).toContain('means: continue');
}, 60_000);

/** This process has to go on meanwhile: it is the one that is to stand still. */
async function raiseBeside(database: TestSchema): Promise<Ended> {
  const args = [
    BRANCHLINE,
    'restore',
    'fence',
    '--reason',
    'a test',
    '--db',
    database.url,
    '--schema',
    database.schema,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (out += data.toString()));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, out })));
}

test('branchline restore works on the schema that the URL names', async () => {
  const { database } = await testClient();
  const url = new URL(database.url);
  url.searchParams.set('schema', database.schema);
  const { status, stdout } = spawnSync(process.execPath, [BRANCHLINE, 'restore', 'check', '--db', url.href], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('The fence is down') as string,
  });
});

test('branchline restore says why it cannot begin', () => {
  // A name with two addresses: Node's error has no words of its own.
  const away = restore({ url: 'postgres://u:p@localhost:1/d', schema: 'branchline' } as TestSchema, 'check');
  expect(away.status).toBe(1);
  expect(away.out).toMatch(/Cannot reach the database at .*ECONNREFUSED/);
  const odd = restore({ url: 'postgres://u:p@localhost:1/d', schema: 'a"; DROP TABLE b; --' } as TestSchema, 'check');
  expect(odd.status).toBe(1);
  expect(odd.out).toContain('use letters, digits and underscores');
});
