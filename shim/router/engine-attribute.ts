/** The engine of a listed run, as a search attribute that only the router knows; and a filter by it. */
import type { temporal } from '@temporalio/proto';
import { Code, refusal } from './errors';

type Run = temporal.api.workflow.v1.IWorkflowExecutionInfo;

/** Keyword: the engine's name. */
export const ENGINE_ATTRIBUTE = 'BranchlineEngine';

export function withEngine(run: Run, engine: string): Run {
  const payload = {
    metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
    data: Buffer.from(JSON.stringify(engine)),
  };
  const indexedFields = { ...run.searchAttributes?.indexedFields, [ENGINE_ATTRIBUTE]: payload };
  return { ...run, searchAttributes: { ...run.searchAttributes, indexedFields } };
}

const CLAUSE = `${ENGINE_ATTRIBUTE}\\s*=\\s*(?:'([^']*)'|"([^"]*)")`;
const FIRST = new RegExp(`^\\s*${CLAUSE}\\s*(?:\\bAND\\b([^]*))?$`, 'i');
const LAST = new RegExp(`^([^]*)\\bAND\\s+${CLAUSE}\\s*$`, 'i');

/**
 * `BranchlineEngine = 'name'` at the beginning or the end of a filter, joined by AND, is taken out of it and says which engines are asked.
 * @throws GrpcError INVALID_ARGUMENT for any other use of the name, and for an engine that there is not
 */
export function splitEngineFilter(query: string, engines: string[]): { query: string; engines: string[] } {
  if (!query.includes(ENGINE_ATTRIBUTE)) return { query, engines };
  const first = FIRST.exec(query);
  const last = first === null ? LAST.exec(query) : null;
  const rest = (first === null ? last?.[1] : first[3])?.trim() ?? '';
  const name = first === null ? (last?.[2] ?? last?.[3]) : (first[1] ?? first[2]);
  // With OR beside it, it would not be joined by AND.
  if (name === undefined || rest.includes(ENGINE_ATTRIBUTE) || (/\bOR\b/i.test(rest) && !isEnclosed(rest))) {
    throw refusal(
      Code.INVALID_ARGUMENT,
      'BRANCHLINE_ROUTER_ENGINE_FILTER',
      `write ${ENGINE_ATTRIBUTE} = 'name' at the beginning or the end of a filter, joined by AND (the rest in brackets if it has OR).`,
    );
  }
  if (!engines.includes(name)) {
    throw refusal(
      Code.INVALID_ARGUMENT,
      'BRANCHLINE_ROUTER_ENGINE_FILTER',
      `no engine '${name}': there are ${engines.join(', ')}.`,
    );
  }
  return { query: rest, engines: [name] };
}

/** One pair of brackets around all of it. */
function isEnclosed(text: string): boolean {
  if (!text.startsWith('(') || !text.endsWith(')')) return false;
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== '') {
      if (char === '\\') i++;
      else if (char === quote) quote = '';
    } else if (char === "'" || char === '"') quote = char;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0 && i < text.length - 1) return false;
  }
  return true;
}
