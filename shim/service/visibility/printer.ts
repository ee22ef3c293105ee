/** A filter's tree as text that `parseFilter` reads to the same tree. */
import type { Filter, ListQuery, Value } from './filter';

/** A plain name that is no word of the language; all others stand in back quotes. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_.@-]*$/;
const WORDS =
  /^(and|or|not|in|is|null|between|starts_with|group|order|by|limit|having|offset|true|false|like|regexp|rlike|xor|exists|select)$/i;

const name = ({ name }: { name: string }): string =>
  PLAIN.test(name) && !WORDS.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;

const value = ({ value, text }: Value): string =>
  typeof value === 'string' ? `'${value.replace(/[\\']/g, '\\$&')}'` : text;

export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.map((operand) => inside(operand)).join(` ${filter.kind.toUpperCase()} `);
    case 'not':
      return `NOT ${inside(filter.operand)}`;
    case 'null':
      return `${name(filter.name)} IS ${filter.negated ? 'NOT ' : ''}NULL`;
    case 'in':
      return `${name(filter.name)} ${filter.negated ? 'NOT ' : ''}IN (${filter.values.map(value).join(', ')})`;
    case 'between':
      return `${name(filter.name)} ${filter.negated ? 'NOT ' : ''}BETWEEN ${value(filter.from)} AND ${value(filter.to)}`;
    case 'compare':
      return `${name(filter.name)} ${filter.operator.toUpperCase()} ${value(filter.value)}`;
  }
}

const inside = (filter: Filter): string =>
  filter.kind === 'and' || filter.kind === 'or' ? `(${printFilter(filter)})` : printFilter(filter);

export function printQuery({ where, groupBy, orderBy }: ListQuery): string {
  const keys = orderBy.map((key) => name(key) + (key.descending ? ' DESC' : ''));
  return [
    ...(where === null ? [] : [printFilter(where)]),
    ...(groupBy.length === 0 ? [] : [`GROUP BY ${groupBy.map(name).join(', ')}`]),
    ...(keys.length === 0 ? [] : [`ORDER BY ${keys.join(', ')}`]),
  ].join(' ');
}
