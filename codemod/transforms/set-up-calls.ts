/** The calls that connect, and those whose options Branchline does not honour all. */
import { temporalName, Origins, unwrapped } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import type { Modules } from '../source/origins';

export interface SetUp {
  /** The table of compatibility.json for the options. */
  table: string;
  /** Where in the argument the table's options stand: `server` of `createLocal({ server })`. */
  under?: string;
  connects?: true;
}

/** By the name that is called. */
const CALLS: Record<string, SetUp> = {
  'client#Connection.connect': { table: 'Connection.connect', connects: true },
  'client#Connection.lazy': { table: 'Connection.connect', connects: true },
  'worker#NativeConnection.connect': { table: 'NativeConnection.connect', connects: true },
  'worker#NativeConnection.create': { table: 'NativeConnection.connect', connects: true },
  'testing#TestWorkflowEnvironment.createFromExistingServer': { table: 'NativeConnection.connect', connects: true },
  'worker#Worker.create': { table: 'WorkerOptions' },
  'worker#Worker.runReplayHistory': { table: 'WorkerOptions' },
  'worker#Worker.runReplayHistories': { table: 'WorkerOptions' },
  'worker#bundleWorkflowCode': { table: 'WorkerOptions', under: 'bundlerOptions' },
  'worker#Runtime.install': { table: 'RuntimeOptions' },
  'testing#TestWorkflowEnvironment.createLocal': { table: 'DevServerConfig', under: 'server' },
  'testing#TestWorkflowEnvironment.createTimeSkipping': { table: 'TimeSkippingServerConfig', under: 'server' },
};

/** A cheap look: could the text hold such a call? */
export const mayHoldCalls = (text: string): boolean =>
  /\b(?:connect|lazy|create|createFromExistingServer|createLocal|createTimeSkipping|install|runReplayHistor(?:y|ies)|bundleWorkflowCode)\s*\(/.test(
    text,
  );

export interface SetUpCall extends SetUp {
  call: ts.CallExpression;
  name: string;
}

export function setUpCalls(file: ParsedFile, modules: Modules): SetUpCall[] {
  const origins = new Origins(file, modules);
  const found: SetUpCall[] = [];
  walk(file.ast, (node) => {
    if (!ts.isCallExpression(node)) return;
    const callee = unwrapped(node.expression);
    // Held by a constant it may have any name.
    if (ts.isPropertyAccessExpression(callee) && !mayHoldCalls(`${callee.name.text}(`)) return;
    const origin = origins.of(callee);
    const name = origin && temporalName(origin);
    const setUp = name === undefined ? undefined : CALLS[name];
    if (setUp !== undefined && name !== undefined) found.push({ ...setUp, call: node, name });
  });
  return found;
}
