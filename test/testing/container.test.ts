/** Test environments on a Postgres in a container. Skipped, with a word at the end of the run, where there is no engine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client as Postgres } from 'pg';
import { describe, expect, it } from 'vitest';
import { TestWorkflowEnvironment } from '../../shim/testing';
import { postgresPlace } from '../../shim/testing/postgres-options';
import { Worker } from '../../shim/worker';
import { containerImage, hasContainerEngine } from '../support/container-engine';

const MINUTE = 60_000;
const serverOf = (env: TestWorkflowEnvironment): string => new URL(env.address).host;
const postgres = { testcontainers: { image: containerImage(18) } };

describe.skipIf(!hasContainerEngine)('with testcontainers', { timeout: 5 * MINUTE }, () => {
  it('environments share a container that ends with the last of them', async () => {
    const [local, skipping] = await Promise.all([
      TestWorkflowEnvironment.createLocal({ postgres }),
      TestWorkflowEnvironment.createTimeSkipping({ postgres }),
    ]);
    expect(serverOf(skipping)).toBe(serverOf(local));
    await local.teardown();

    const worker = await Worker.create({
      connection: skipping.nativeConnection,
      taskQueue: 'q',
      workflowsPath: path.join(__dirname, 'skipping-workflows.ts'),
      activities: { charge: (month: number) => Promise.resolve(month) },
    });
    const start = { taskQueue: 'q', workflowId: 'w' };
    expect(await worker.runUntil(skipping.client.workflow.execute('yearOfBilling', start))).toBe(78);
    await skipping.teardown();

    const gone = new Postgres({ connectionString: skipping.address });
    await expect(gone.connect()).rejects.toThrow(/ECONNREFUSED/);
  });

  it('an image that is not there is refused by its name', async () => {
    const testcontainers = { image: 'localhost/branchline-no-such-image:1' };
    await expect(TestWorkflowEnvironment.createLocal({ postgres: { testcontainers } })).rejects.toThrow(
      expect.objectContaining({
        code: 'BRANCHLINE_TESTCONTAINERS',
        message: expect.stringContaining(testcontainers.image),
      }),
    );
  });
});

/** What `createLocal` fails with in a process of its own that finds no package testcontainers, or another in its place. */
function failureWith(testcontainers: string | undefined): { code: string; message: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-testcontainers-'));
  try {
    const hook = path.join(folder, 'hook.cjs');
    const stand = path.join(folder, 'stand-in.cjs');
    writeFileSync(stand, testcontainers ?? '');
    writeFileSync(
      hook,
      `const Module = require('node:module');
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (request, ...rest) =>
        resolve(request === 'testcontainers' ? ${JSON.stringify(testcontainers === undefined ? 'not-installed' : stand)} : request, ...rest);`,
    );
    const script = `require(${JSON.stringify(path.resolve(__dirname, '../../lib/testing'))})
      .TestWorkflowEnvironment.createLocal({ postgres: { testcontainers: true } })
      .catch(({ code, message }) => console.log(JSON.stringify({ code, message })));`;
    const { stdout } = spawnSync(process.execPath, ['--require', hook, '-e', script], { encoding: 'utf8' });
    return JSON.parse(stdout) as { code: string; message: string };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a container', () => {
  it('says how to install the package when it is missing', () => {
    const { code, message } = failureWith(undefined);
    expect(code).toBe('BRANCHLINE_TESTCONTAINERS');
    expect(message).toMatch(/npm install --save-dev testcontainers/);
  });

  it('tells what the engine said, and of which image', () => {
    const { code, message } = failureWith(`
      exports.Wait = { forListeningPorts: () => undefined };
      exports.GenericContainer = class { constructor() { throw new Error('no engine today'); } };`);
    expect(code).toBe('BRANCHLINE_TESTCONTAINERS');
    expect(message).toMatch(/postgres:18: no engine today/);
  });

  it.each([
    ['the official image by default', { testcontainers: true }, { image: 'postgres:18' }],
    ['the image that is given', { testcontainers: { image: 'postgres:14' } }, { image: 'postgres:14' }],
    ['none where it is switched off', { testcontainers: false, url: 'postgres://h/d' }, { url: 'postgres://h/d' }],
  ])('is made of %s', (_case, options, place) => {
    expect(postgresPlace(options, { BRANCHLINE_TEST_URL: 'postgres://other/d' })).toEqual(place);
  });

  it.each([
    ['postgres.testcontainers', { testcontainers: true, url: 'postgres://h/d' }],
    ['postgres.testcontainers.reuse', { testcontainers: { reuse: true } }],
    ['postgres.docker', { docker: true }],
  ])('%s is refused', (option, options) => {
    expect(() => postgresPlace(options as object)).toThrow(
      expect.objectContaining({ code: 'BRANCHLINE_UNSUPPORTED_OPTION', option }),
    );
  });
});
