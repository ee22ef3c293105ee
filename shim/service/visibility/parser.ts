/** Reads Temporal's list filter (list-filter.peggy), and says where and why a text is none. */
import { FilterError, type ListQuery } from './filter';
import { SyntaxError as PeggyError, parse } from './list-filter.generated';

/** What peggy throws. */
interface NoMatch {
  expected: { type: string; description?: string; text?: string }[] | null;
  location: { start: { offset: number } };
}

/** @throws FilterError with the position */
export function parseFilter(text: string): ListQuery {
  const refuse = (sentence: string, offset: number): never => {
    throw new FilterError(sentence, offset + 1);
  };
  try {
    return parse(text, { refuse }) as ListQuery;
  } catch (error) {
    if (error instanceof PeggyError) throw syntaxError(text, error as unknown as NoMatch);
    // The parser calls itself for each parenthesis.
    if (error instanceof RangeError) throw new FilterError('malformed SQL query: too many nested expressions');
    throw error;
  }
}

function syntaxError(text: string, { expected, location }: NoMatch): FilterError {
  const { offset } = location.start;
  const near = /^\s*([\w.]+|[^\s\w]{1,2})?/.exec(text.slice(offset, offset + 40))?.[1];
  const names = [...new Set((expected ?? []).map(named).filter((name) => name !== ''))].sort();
  const last = names.pop();
  const wanted = names.length === 0 ? last : `${names.join(', ')} or ${last}`;
  return new FilterError(
    `malformed SQL query: syntax error at position ${offset + 1}` +
      (near === undefined ? ' (the end)' : ` near '${near}'`) +
      (wanted === undefined ? '' : `: expected ${wanted}`),
  );
}

/** Other ways to write what is named, and what is read only to be refused. */
const silent: ReadonlySet<string> = new Set(
  [
    'white space',
    '&&',
    '||',
    ';',
    '"',
    "'",
    '`',
    '.',
    '<=>',
    'LIKE',
    'REGEXP',
    'RLIKE',
    'HAVING',
    'LIMIT',
    'OFFSET',
  ].concat(['TRUE', 'FALSE', 'NULL']),
);

function named({ type, description, text }: NonNullable<NoMatch['expected']>[number]): string {
  if (type === 'end') return 'the end';
  const name = description ?? (type === 'literal' ? text : undefined) ?? '';
  return silent.has(name) ? '' : name;
}
