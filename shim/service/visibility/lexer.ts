/** Tokens of Temporal's list filter. */

export type Token =
  | { kind: 'name'; text: string; position: number }
  | { kind: 'string'; text: string; position: number }
  | { kind: 'number'; text: string; position: number }
  | { kind: 'symbol'; text: string; position: number }
  | { kind: 'end'; text: ''; position: number };

/** A filter that cannot be read or is not supported. The caller makes it INVALID_ARGUMENT `invalid query: …`. */
export class FilterError extends Error {}

/** The sentence for text that is no filter; `position` counts characters from 1. */
export const syntaxError = (position: number, near: string): FilterError =>
  new FilterError(`malformed SQL query: syntax error at position ${position}${near === '' ? '' : ` near '${near}'`}`);

const SPACE = /\s+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_.@-]*/y;
const NUMBER = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const SYMBOL = /<=|>=|!=|<>|[=<>(),]/y;

export function tokens(text: string): Token[] {
  const result: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at < text.length) {
    if (take(SPACE) !== undefined) continue;
    const position = at + 1;
    const quote = text[at] as string;
    if (quote === "'" || quote === '"' || quote === '`') {
      const [value, end] = quoted(text, at);
      at = end;
      result.push({ kind: quote === '`' ? 'name' : 'string', text: value, position });
      continue;
    }
    const number = take(NUMBER);
    if (number !== undefined) {
      result.push({ kind: 'number', text: number, position });
      continue;
    }
    const name = take(NAME);
    if (name !== undefined) {
      result.push({ kind: 'name', text: name, position });
      continue;
    }
    const symbol = take(SYMBOL);
    if (symbol === undefined) throw syntaxError(position, quote);
    result.push({ kind: 'symbol', text: symbol, position });
  }
  result.push({ kind: 'end', text: '', position: text.length + 1 });
  return result;
}

/** Backslashes escape; a doubled quote is the quote itself. */
function quoted(text: string, start: number): [value: string, end: number] {
  const quote = text[start];
  let value = '';
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '\\' && quote !== '`' && i + 1 < text.length) value += text[++i] as string;
    else if (char !== quote) value += char;
    else if (text[i + 1] === quote) value += text[++i] as string;
    else return [value, i + 1];
  }
  throw syntaxError(text.length + 1, text.slice(start));
}
