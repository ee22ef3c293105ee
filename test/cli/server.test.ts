/** `branchline server` as a process. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { afterTest, freshSchema, sql } from '../support/database';
import { BRANCHLINE, type ServerProcess, serverProcess } from '../support/server-process';

async function server(...options: string[]): Promise<ServerProcess> {
  const started = await serverProcess(freshSchema(), options);
  afterTest(async () => {
    started.kill('SIGKILL');
    await started.exited;
  });
  return started;
}

function fails(...options: string[]): { status: number | null; stderr: string } {
  try {
    execFileSync(process.execPath, [BRANCHLINE, 'server', ...options], {
      stdio: 'pipe',
      env: { ...process.env, BRANCHLINE_API_KEY: undefined },
    });
  } catch (error) {
    const { status, stderr } = error as { status: number | null; stderr: Buffer };
    return { status, stderr: stderr.toString() };
  }
  throw new Error('It did not fail');
}

describe('branchline server', () => {
  it('serves metrics of its database for Prometheus when it is told to', async () => {
    const { metricsAddress, exited, kill } = await server('--metrics-port', '0');
    const text = await (await fetch(`http://${metricsAddress}/metrics`)).text();
    expect(text).toMatch(/^branchline_pool_connections\{.*pool="read".*\} \d+$/m);
    kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it('takes the database from a profile, unless a flag or the environment says otherwise', async () => {
    const { url, schema } = freshSchema();
    const directory = mkdtempSync(join(tmpdir(), 'branchline-profile-'));
    afterTest(() => Promise.resolve(rmSync(directory, { recursive: true })));
    const file = join(directory, 'temporal.toml');
    writeFileSync(file, `[profile.app.postgres]\nurl = "postgres://nobody@127.0.0.1:1/none"\nschema = "${schema}"\n`);
    const args = ['server', '--profile', 'app', '--config-file', file, '--db', url, '--port', '0', '--output', 'json'];
    const child = spawn(process.execPath, [BRANCHLINE, ...args], {
      ...{ stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, BRANCHLINE_URL: undefined } },
    });
    afterTest(() => Promise.resolve(void child.kill('SIGKILL')));
    const exited = once(child, 'exit');
    await once(child.stdout!, 'data');
    expect(await sql(`SELECT name FROM "${schema}".namespaces`)).toEqual([{ name: 'default' }]);
    child.kill('SIGTERM');
    await exited;
    expect(fails('--profile', 'other', '--config-file', file)).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining("Profile 'other' not found") as string },
    });
  });

  it('serves, with the namespaces and search attributes it was told, and stops on SIGTERM', async () => {
    const { address, exited, kill } = await server(
      '--namespace',
      'orders',
      '--search-attribute',
      'Plan=Keyword',
      '--search-attribute',
      'Seats=Int',
      '--headless',
    );
    const connection = await Connection.connect({ address });
    const { namespaces } = await connection.workflowService.listNamespaces({});
    expect(namespaces.map(({ namespaceInfo }) => namespaceInfo?.name).sort()).toEqual(['default', 'orders']);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'orders' });
    expect(customAttributes).toEqual({ Plan: 2, Seats: 3 });

    const poll = connection.workflowService.pollWorkflowTaskQueue({ namespace: 'orders', taskQueue: { name: 'q' } });
    await expect
      .poll(
        async () => {
          const request = { namespace: 'orders', taskQueue: { name: 'q' }, taskQueueType: 1 };
          return (await connection.workflowService.describeTaskQueue(request)).pollers.length;
        },
        { timeout: 20_000 },
      )
      .toBe(1);
    kill('SIGTERM');
    expect((await poll).taskToken).toHaveLength(0);
    expect(await exited).toBe(0);
    await connection.close();
  });

  it('serves with TLS and an API key', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'branchline-tls-'));
    afterTest(() => Promise.resolve(rmSync(directory, { recursive: true })));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert];
    execFileSync('openssl', [...request, ...subject], { stdio: 'pipe' });

    const { address } = await server('--tls-cert', cert, '--tls-key', key, '--api-key', 'secret', '--ip', '0.0.0.0');
    const reachable = address.replace('0.0.0.0', '127.0.0.1');
    const tls = { serverRootCACertificate: readFileSync(cert) };
    const connection = await Connection.connect({ address: reachable, tls, apiKey: 'secret' });
    expect((await connection.workflowService.listNamespaces({})).namespaces.length).toBe(1);
    await connection.close();
    await expect(Connection.connect({ address: reachable, tls, apiKey: 'guess' })).rejects.toMatchObject({
      cause: { code: 16 },
    });
    await expect(Connection.connect({ address: reachable, connectTimeout: 2000 })).rejects.toThrow();
  });

  it.each([
    [['--ip', '0.0.0.0'], 'BRANCHLINE_GATEWAY_INSECURE'],
    [['--tls-cert', 'x.pem'], 'BRANCHLINE_GATEWAY_TLS'],
    [['--tls-cert', '/nowhere.pem', '--tls-key', '/nowhere.pem'], 'BRANCHLINE_GATEWAY_TLS'],
    [['--port', '70000'], 'whole number'],
    [
      ['--search-attribute', 'Plan=Colour', '--db', 'postgres://nobody@127.0.0.1:1/none'],
      'BRANCHLINE_SEARCH_ATTRIBUTE',
    ],
    [['--ui-port', '1'], 'unknown option'],
  ])('refuses %j', (options, words) => {
    const { status, stderr } = fails(...options);
    expect(status).toBe(1);
    expect(stderr).toContain(words);
  });
});
