/** `branchline route load`: the guard's budgets and turns, and the break-even meter over both engines. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { type TestSchema, freshSchema } from '../support/database';
import { BRANCHLINE } from '../support/server-process';
import { describeWithTemporal } from '../support/temporal';
import { routed } from '../router/harness';

function route(database: TestSchema, ...args: string[]): string {
  const all = [BRANCHLINE, 'route', ...args, '--db', database.url, '--schema', database.schema];
  try {
    return execFileSync(process.execPath, all, { stdio: 'pipe' }).toString();
  } catch (error) {
    const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer };
    return stdout.toString() + stderr.toString();
  }
}

describeWithTemporal('branchline route load', (server) => {
  it('shows budgets, turns and rates, and suggests to move a type back once the line is passed', async () => {
    const database = freshSchema();
    const type = `batch-${randomUUID()}`;
    route(database, 'set', type, '--movable');
    expect(route(database, 'load')).toMatch(
      /^Load guard: off\nStarts of the last 60 s; ceiling 739\/s, all types 0\.0 % of it[^]*\nNo type need move\.\n$/,
    );
    const listed = route(
      database,
      'set',
      '--guard',
      'dry-run',
      '--budgets',
      'connections=1,deadTuples=1000000',
      '--ceiling',
      '0.0125',
    );
    expect(listed).toContain('load guard dry-run: postgres → temporal over connections 1, deadTuples 1000000');
    expect(listed).toContain(`${type}: workflowType ${type} → postgres (movable)`);
    // Budgets are kept when the mode changes, and what is no budget is refused with its path.
    expect(route(database, 'set', '--guard', 'on')).toContain('load guard on: postgres → temporal over connections 1');
    route(database, 'set', '--guard', 'dry-run');
    expect(route(database, 'set', '--budgets', 'speed=3')).toMatch(/guard\.budgets.*speed/);
    expect(route(database, 'set', '--budgets', 'connections')).toContain("'connections' is not a budget");

    const { client, connection, queue: taskQueue, plain } = await routed(server().address, {}, database);
    await connection.checkLoad();
    for (let i = 0; i < 36; i++) {
      const handle = await client.workflow.start(type, { workflowId: `${i}-${randomUUID()}`, taskQueue });
      await handle.terminate();
    }
    const other = await plain.temporal.workflow.start(type, { workflowId: randomUUID(), taskQueue });
    // Temporal writes its visibility a moment later.
    const shown = () => route(database, 'load', '--temporal', server().address, '--window', '3600');
    await expect
      .poll(shown, { timeout: 60_000 })
      .toMatch(new RegExp(`^  ${type}  0\\.01 +0\\.00 +80\\.0 % +yes$`, 'm'));
    const out = shown();
    expect(out).toMatch(/^Load guard: dry-run, postgres → temporal; (pressed|diverting) since .*, looked \d+ s ago$/m);
    expect(out).toMatch(/^ {2}connections: \d+ of 1 !$/m);
    expect(out).toMatch(/^ {2}deadTuples: \d+ of 1000000$/m);
    expect(out).toMatch(
      new RegExp(`^Suggestion: move ${type} back to temporal: 0\\.01 starts/s are 80\\.0 % of the 0\\.0125/s`, 'm'),
    );
    await other.terminate();
  }, 180_000);
});
