/** `branchline route`, and `branchline server --routed`. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { RoutedConnection } from '../../shim/router';
import { Connection as PostgresConnection } from '../../shim/client';
import { findTemporalCli } from '../../compat-tests/temporal-cli';
import { type TestSchema, afterTest, freshSchema, sql } from '../support/database';
import { BRANCHLINE, serverProcess } from '../support/server-process';
import { describeWithTemporal } from '../support/temporal';

function route(database: TestSchema, ...args: string[]): { status: number; out: string } {
  const all = [BRANCHLINE, 'route', ...args, '--db', database.url, '--schema', database.schema];
  try {
    return { status: 0, out: execFileSync(process.execPath, all, { stdio: 'pipe' }).toString() };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
    return { status, out: stdout.toString() + stderr.toString() };
  }
}

describe('branchline route', () => {
  it('stores rules as versions, shows who made them and why, and goes back', () => {
    const database = freshSchema();
    expect(route(database, 'list').out).toContain('Version 0');
    route(database, 'set', 'signup', '10%', '--by', 'ada', '--reason', 'canary');
    const { out } = route(database, 'set', 'signup', '50', '--by', 'bob');
    expect(out).toContain('1. signup: workflowType signup, 50 % → postgres');
    expect(out).toContain('else → temporal');
    const set = ['set', 'acme', '--tenant', 'acme,globex', '--type', 'billing', '--before', 'signup'];
    expect(route(database, ...set)).toMatchObject({
      status: 1,
      out: expect.stringContaining('rules[0].tenant') as string,
    });
    expect(route(database, ...set, '--tenant-from', 'id:^([^/]+)/').out).toContain(
      '1. acme: workflowType billing, tenant acme|globex → postgres',
    );
    const history = route(database, 'history').out;
    expect(history).toContain('ada: canary');
    expect(history).toContain('- 1. signup: workflowType signup, 10 % → postgres');
    expect(history).toContain('+ 1. signup: workflowType signup, 50 % → postgres');

    expect(route(database, 'remove', 'acme', '--expect', '2')).toMatchObject({
      status: 1,
      out: expect.stringContaining('BRANCHLINE_ROUTES_CHANGED') as string,
    });
    expect(route(database, 'rollback', '1').out).toContain('signup: workflowType signup, 10 %');
    expect(route(database, 'list').out).toContain('Version 4');
    expect(route(database, 'rollback', '9').out).toContain('BRANCHLINE_ROUTES_VERSION');
  }, 60_000);

  it('changes of a rule what is said, and keeps the rest', () => {
    const database = freshSchema();
    route(database, 'set', 'signup', '10%', '--engine', 'temporal');
    expect(route(database, 'set', 'signup', '--children').out).toContain(
      '1. signup: workflowType signup, 10 % → temporal (children too)',
    );
    route(database, 'set', 'acme', '--type', 'billing', '--tenant', 'acme', '--tenant-from', 'id:^([^/]+)/');
    const { out } = route(database, 'set', 'acme', '50%', '--engine', 'temporal');
    expect(out).toContain('2. acme: workflowType billing, tenant acme, 50 % → temporal');
    expect(route(database, 'set', 'late', '--before', 'singup')).toMatchObject({
      status: 1,
      out: expect.stringContaining("no rule 'singup'") as string,
    });
  }, 60_000);

  it('keeps its history from being changed', async () => {
    const database = freshSchema();
    route(database, 'set', 'signup', '10%');
    await expect(sql(`UPDATE ${database.schema}.route_versions SET reason = 'another'`)).rejects.toThrow(
      'only ever added to',
    );
    await expect(sql(`DELETE FROM ${database.schema}.route_versions`)).rejects.toThrow('only ever added to');
    await expect(sql(`TRUNCATE ${database.schema}.route_versions`)).rejects.toThrow('only ever added to');
  });

  it('explains where an id would go, and tests routes', () => {
    const database = freshSchema();
    route(database, 'set', 'acme', '--tenant', 'acme', '--type', 'billing', '--tenant-from', 'id:^([^/]+)/');
    const yes = route(database, 'explain', 'acme/7', '--type', 'billing').out;
    expect(yes).toContain('acme: takes it → postgres');
    const no = route(database, 'explain', 'initech/7', '--type', 'billing').out;
    expect(no).toContain('acme: the tenant is "initech", not "acme"');
    expect(no).toContain('no rule takes it → temporal');

    const folder = mkdtempSync(join(tmpdir(), 'branchline-routes-'));
    afterTest(() => Promise.resolve(rmSync(folder, { recursive: true })));
    const cases = join(folder, 'cases.json');
    const start = { workflowType: 'billing', tenant: 'acme' };
    writeFileSync(
      cases,
      JSON.stringify([
        { start, engine: 'postgres' },
        { start: { ...start, tenant: 'x' }, engine: 'postgres' },
      ]),
    );
    const tested = route(database, 'test', cases);
    expect(tested.status).toBe(1);
    expect(tested.out).toContain('1 of 2 as expected');
    expect(tested.out).toContain('case 2');
  }, 60_000);

  it('changes what a running process does, within seconds', async () => {
    const database = freshSchema();
    const postgres = await PostgresConnection.connect({ ...database });
    afterTest(() => postgres.close());
    const routed = await RoutedConnection.connect({
      engines: { temporal: { postgres: { ...database, schema: `${database.schema}` } }, postgres: { postgres } },
    });
    afterTest(() => routed.close());
    const before = await routed.refreshRoutes();
    route(database, 'set', 'signup', '100%');
    expect(before).toBe(0);
    await expect.poll(() => routed.routesVersion, { timeout: 20_000 }).toBe(1);
  });
});

describeWithTemporal('branchline server --routed', (server) => {
  it('lets clients that know nothing of the router reach both engines', async () => {
    const database = freshSchema();
    route(database, 'set', 'on-postgres', '--id-pattern', 'pg-.*');
    const { address, kill, exited } = await serverProcess(database, ['--routed', '--temporal', server().address]);
    afterTest(async () => {
      kill('SIGTERM');
      expect(await exited).toBe(0);
    });
    const connection = await Connection.connect({ address });
    afterTest(() => connection.close());
    const client = new Client({ connection });
    const direct = await Connection.connect({ address: server().address });
    afterTest(() => direct.close());
    const temporal = new Client({ connection: direct });

    for (const prefix of ['pg-', 't-']) {
      const start = { workflowId: `${prefix}${randomUUID()}`, taskQueue: 'q' };
      const handle = await client.workflow.start('any', start);
      await expect(client.workflow.start('any', start)).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
      const there = temporal.workflow.getHandle(start.workflowId).describe();
      if (prefix === 'pg-') await expect(there).rejects.toBeInstanceOf(WorkflowNotFoundError);
      else expect((await there).status.name).toBe('RUNNING');
      await handle.signal('hello');
      const env = ['--address', address, '--namespace', 'default', '--workflow-id', start.workflowId];
      const shown = execFileSync(findTemporalCli()!, ['workflow', 'describe', '--output', 'json', ...env]).toString();
      expect(shown).toContain(start.workflowId);
      await handle.terminate();
    }
    const poll = connection.workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name: 'q' } });
    await expect(poll).rejects.toMatchObject({
      code: 9,
      details: expect.stringContaining('BRANCHLINE_ROUTER_WORKER') as string,
    });
  }, 90_000);
});

describeWithTemporal('branchline drain', (server) => {
  it('sends new starts elsewhere, shows what is open, and says zero only when nothing is', async () => {
    const database = freshSchema();
    const direct = await Connection.connect({ address: server().address });
    afterTest(() => direct.close());
    const client = new Client({ connection: direct });
    const type = `drained-${randomUUID()}`;
    const handles = await Promise.all(
      ['a', 'b'].map((name) =>
        client.workflow.start(type, {
          workflowId: `${name}-${randomUUID()}`,
          taskQueue: 'nobody',
          startDelay: name === 'b' ? '1h' : 0,
        }),
      ),
    );
    const drain = (): string => {
      const args = ['drain', type, '--temporal', server().address, '--db', database.url, '--schema', database.schema];
      return execFileSync(process.execPath, [BRANCHLINE, ...args], { stdio: 'pipe' }).toString();
    };
    await expect.poll(drain, { timeout: 60_000 }).toContain('2 open on temporal');
    expect(route(database, 'list').out).toContain(`drain-${type}: workflowType ${type} → postgres`);
    const out = drain();
    expect(out).toContain(`${handles[0]!.workflowId}: `);
    expect(out).toContain('waits for a worker to take its workflow task');
    expect(out).toContain('No estimate');
    for (const handle of handles) await handle.terminate();
    await expect.poll(drain, { timeout: 60_000 }).toContain('zero: temporal has none open');
  }, 120_000);
});
