/** Temporal's list filter as a tree: the body of a WHERE, with GROUP BY; ORDER BY and LIMIT are read to be refused. */
import { FilterError, type Token, syntaxError, tokens } from './lexer';

export type Literal = string | number | boolean;
/** A number keeps its text: nanoseconds do not fit in a double. */
export interface Value {
  value: Literal;
  text: string;
  position: number;
}
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'starts_with' | 'not starts_with';

export type Filter =
  | { kind: 'and' | 'or'; left: Filter; right: Filter }
  | { kind: 'not'; operand: Filter }
  | { kind: 'compare'; name: string; operator: Comparison; value: Value }
  | { kind: 'in'; name: string; negated: boolean; values: Value[] }
  | { kind: 'between'; name: string; negated: boolean; from: Value; to: Value }
  | { kind: 'null'; name: string; negated: boolean };

export interface ParsedFilter {
  /** null = everything. */
  where: Filter | null;
  groupBy: string[];
}

const COMPARISONS: Record<string, Comparison> = {
  '=': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
/** Words that cannot stand where a search attribute is expected (unless in back quotes, which the lexer takes off: position tells). */
const RESERVED = new Set(['and', 'or', 'not', 'in', 'between', 'is', 'null', 'starts_with', 'order', 'group', 'limit']);

export function parseFilter(text: string): ParsedFilter {
  return new Parser(text).parse();
}

class Parser {
  private readonly tokens: Token[];
  private at = 0;

  constructor(private readonly text: string) {
    this.tokens = tokens(text);
  }

  parse(): ParsedFilter {
    const startsWithClause = this.isWord('order') || this.isWord('group') || this.isWord('limit');
    const where = this.current.kind === 'end' || startsWithClause ? null : this.or();
    const groupBy: string[] = [];
    if (this.takeWord('group')) {
      this.needWord('by');
      do groupBy.push(this.name());
      while (this.takeSymbol(','));
    }
    if (this.isWord('order')) throw new FilterError("operation is not supported: 'ORDER BY' clause");
    if (this.isWord('limit')) throw new FilterError("operation is not supported: 'LIMIT' clause");
    if (this.current.kind !== 'end') throw this.unexpected();
    return { where, groupBy };
  }

  private or(): Filter {
    let left = this.and();
    while (this.takeWord('or')) left = { kind: 'or', left, right: this.and() };
    return left;
  }

  private and(): Filter {
    let left = this.not();
    while (this.takeWord('and')) left = { kind: 'and', left, right: this.not() };
    return left;
  }

  private not(): Filter {
    return this.takeWord('not') ? { kind: 'not', operand: this.not() } : this.primary();
  }

  private primary(): Filter {
    if (this.takeSymbol('(')) {
      const inner = this.or();
      this.needSymbol(')');
      return inner;
    }
    const name = this.name();
    if (this.takeWord('is')) {
      const negated = this.takeWord('not');
      if (!this.takeWord('null')) {
        throw new FilterError("invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'");
      }
      return { kind: 'null', name, negated };
    }
    const negated = this.takeWord('not');
    if (this.takeWord('in')) return { kind: 'in', name, negated, values: this.list() };
    if (this.takeWord('between')) {
      const from = this.value();
      this.needWord('and');
      return { kind: 'between', name, negated, from, to: this.value() };
    }
    if (this.takeWord('starts_with')) {
      return { kind: 'compare', name, operator: negated ? 'not starts_with' : 'starts_with', value: this.value() };
    }
    if (negated) throw this.unexpected();
    const token = this.current;
    const operator = token.kind === 'symbol' ? COMPARISONS[token.text] : undefined;
    if (operator !== undefined) {
      this.at++;
      return { kind: 'compare', name, operator, value: this.value() };
    }
    if (token.kind === 'symbol' && token.text === '(') {
      throw new FilterError('operation is not supported: function expression');
    }
    if (token.kind === 'end' || this.isWord('and') || this.isWord('or') || token.text === ')') {
      throw new FilterError('invalid expression: incomplete expression');
    }
    throw this.unexpected();
  }

  private list(): Value[] {
    this.needSymbol('(');
    const values = [this.value()];
    while (this.takeSymbol(',')) values.push(this.value());
    this.needSymbol(')');
    return values;
  }

  private name(): string {
    const token = this.current;
    if (token.kind !== 'name') throw this.unexpected();
    if (RESERVED.has(token.text.toLowerCase()) && !this.isBackquoted(token)) throw this.unexpected();
    this.at++;
    return token.text;
  }

  private value(): Value {
    const token = this.current;
    const { position, text } = token;
    this.at++;
    if (token.kind === 'string') return { value: text, text, position };
    if (token.kind === 'number') return { value: Number(text), text, position };
    if (token.kind === 'name') {
      const word = text.toLowerCase();
      if (word === 'true' || word === 'false') return { value: word === 'true', text: word, position };
      throw new FilterError(
        `operation is not supported: column name on the right side of comparison expression (did you forget to quote "${text}"?)`,
      );
    }
    this.at--;
    throw this.unexpected();
  }

  private get current(): Token {
    return this.tokens[this.at] as Token;
  }

  private isBackquoted(token: Token): boolean {
    return this.text[token.position - 1] === '`';
  }

  private isWord(word: string): boolean {
    const token = this.current;
    return token.kind === 'name' && token.text.toLowerCase() === word && !this.isBackquoted(token);
  }

  private takeWord(word: string): boolean {
    const found = this.isWord(word);
    if (found) this.at++;
    return found;
  }

  private needWord(word: string): void {
    if (!this.takeWord(word)) throw this.unexpected();
  }

  private takeSymbol(symbol: string): boolean {
    const found = this.current.kind === 'symbol' && this.current.text === symbol;
    if (found) this.at++;
    return found;
  }

  private needSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected();
  }

  private unexpected(): FilterError {
    return syntaxError(this.current.position, this.current.text);
  }
}
