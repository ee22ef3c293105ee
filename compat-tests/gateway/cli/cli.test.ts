/**
 * The stock `temporal` CLI against `branchline server`: every command does what it says, or is refused with the sentence of compatibility.json.
 * Writes compat-tests/out/cli.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusals } from '../../../shim/service/refused-rpcs';
import { temporalCliOrSkip } from '../../temporal-cli';
import { activityRows } from './activity-rows';
import { batchRows } from './batch-rows';
import { type CliBench, cliBench } from './bench';
import { deploymentRows } from './deployment-rows';
import { operatorRows } from './operator-rows';
import type { Row } from './row';
import { scheduleRows } from './schedule-rows';
import { workflowRows } from './workflow-rows';

interface Result {
  command: string;
  outcome: 'works' | 'refused' | 'failing';
  sentence?: string;
}

const OUT = join(__dirname, '../../out');
const rows = [...operatorRows, ...workflowRows, ...activityRows, ...scheduleRows, ...batchRows, ...deploymentRows];
const cli = temporalCliOrSkip("The comparison with Temporal's own commands");

describe.skipIf(cli === undefined)('temporal', () => {
  const results: Result[] = [];
  let bench: CliBench;

  beforeAll(async () => {
    bench = await cliBench(cli!);
  });

  afterAll(async () => {
    // A part of the table is no result.
    if (results.length === rows.length) {
      mkdirSync(OUT, { recursive: true });
      const order = (a: Result, b: Result): number => a.command.localeCompare(b.command);
      writeFileSync(join(OUT, 'cli.json'), `${JSON.stringify(results.sort(order), null, 2)}\n`);
    }
    await bench?.close();
  });

  it.each(rows.map((row): [string, Row] => [row.command, row]))('%s', async (command, row) => {
    const refusal = row.needs === undefined ? undefined : refusals[row.needs];
    const result: Result = { command, outcome: 'failing' };
    results.push(result);
    if (refusal === undefined) {
      if (row.works === undefined) throw new Error(`'${command}' is not refused any more: say how it works`);
      await row.works(bench);
      result.outcome = 'works';
      return;
    }
    if (row.refused === undefined) throw new Error(`compatibility.json refuses what '${command}' needs`);
    const { code, stdout, stderr } = await bench.run(...(await row.refused(bench)));
    expect(stdout + stderr).toContain(refusal.sentence);
    expect(code).toBe(1);
    Object.assign(result, { outcome: 'refused', sentence: refusal.sentence });
  });
});
