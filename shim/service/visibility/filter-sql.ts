/** A parsed list filter as an SQL condition over `executions` (alias e). Values are always parameters. */
import type { VisibilityQuery } from '../../store/types';
import {
  type Attribute,
  CLOSE_ORDER,
  NAMESPACE_DIVISION,
  ValueType,
  literal,
  resolveAttribute,
  sqlType,
  typeName,
  valueSql,
} from './attributes';
import { type Comparison, type Filter, FilterError, type Name, type Value } from './filter';
import { impliedBy, MAX_LOOKUPS } from './implied';
import { parameter, statusOf, textOf } from './values';

/** Parameter $1 is the namespace. */
const FIRST_PARAMETER = 2;
/** Postgres counts parameters in 16 bits; some are the list's own. */
const MAX_PARAMETERS = 60_000;
/** Of the placeholders; a condition beside another has its placeholders after those of that. */
type SqlCondition = Pick<VisibilityQuery, 'condition' | 'values'>;

/** `custom`: the namespace's own attributes, name → IndexedValueType. */
export function filterSql(
  where: Filter | null,
  custom: Record<string, number>,
): Omit<VisibilityQuery, 'namespaceId' | 'order'> {
  const writer = new ConditionWriter(custom);
  const condition = where === null ? '' : writer.write(where, false);
  // Runs of another division (schedules) are shown only to those who ask for them. In this form the planner expects that most rows hold it.
  const own = `(e.search_attributes ? ${literal(NAMESPACE_DIVISION)}) IS NOT TRUE`;
  if (writer.divisionNamed) return { condition, values: writer.values, allDivisions: true };
  if (where === null) return { condition: own, values: writer.values };
  const { types, startedBy, byAttributes, inOrder } = impliedBy(where, custom);
  return {
    condition: `${own} AND (${condition})`,
    values: writer.values,
    ...(types === undefined ? {} : { types }),
    ...(startedBy === undefined ? {} : { startedBy }),
    ...(byAttributes === undefined
      ? {}
      : { indexed: { byAttributes: beside(writer, byAttributes), inOrder: beside(writer, inOrder) } }),
  };
}

function beside(whole: ConditionWriter, conditions: Filter[]): SqlCondition {
  const writer = whole.beside();
  return {
    condition: conditions.map((condition) => writer.write(condition, false)).join(' AND '),
    values: writer.values,
  };
}

const RANGE_TYPES: ReadonlySet<ValueType> = new Set([
  ValueType.INDEXED_VALUE_TYPE_DATETIME,
  ValueType.INDEXED_VALUE_TYPE_DOUBLE,
  ValueType.INDEXED_VALUE_TYPE_INT,
  ValueType.INDEXED_VALUE_TYPE_KEYWORD,
]);

const ALL_STATUSES = [1, 2, 3, 4, 5, 6, 7];

type Condition<K extends Filter['kind']> = Extract<Filter, { kind: K }>;

class ConditionWriter {
  readonly values: unknown[] = [];
  divisionNamed = false;

  constructor(
    private readonly custom: Record<string, number>,
    private readonly first = FIRST_PARAMETER,
  ) {}

  /** Of a condition with values of its own, after this one's. */
  beside(): ConditionWriter {
    return new ConditionWriter(this.custom, this.first + this.values.length);
  }

  /** `negated`: under a NOT, where a missing attribute must stay unknown (SQL's null) rather than false. */
  write(filter: Filter, negated: boolean): string {
    switch (filter.kind) {
      case 'and':
      case 'or': {
        const operands = filter.operands.map((operand) => this.write(operand, negated));
        return `(${operands.join(` ${filter.kind.toUpperCase()} `)})`;
      }
      case 'not':
        return `NOT (${this.write(filter.operand, true)})`;
      case 'null': {
        const { sql, nullSql } = this.resolve(filter.name);
        if (nullSql !== undefined) return filter.negated ? nullSql.isNot : nullSql.is;
        return `${sql} IS ${filter.negated ? 'NOT ' : ''}NULL`;
      }
      case 'between':
        return this.between(filter);
      case 'in':
        return this.in(filter, negated);
      case 'compare':
        return this.compare(filter, negated);
    }
  }

  private resolve(name: Name): Attribute {
    const attribute = resolveAttribute(name, this.custom);
    if (attribute.name === NAMESPACE_DIVISION) this.divisionNamed = true;
    return attribute;
  }

  private compare({ name, operator, value }: Condition<'compare'>, negated: boolean): string {
    const attribute = this.resolve(name);
    checkOperator(attribute, operator.toUpperCase(), name);
    switch (operator) {
      case 'starts_with':
        return this.startsWith(attribute, value);
      case 'not starts_with':
        return `NOT (${this.startsWith(attribute, value)})`;
    }
    if (attribute.form === 'status') {
      const wanted = statusOf(value);
      return oneOf(ALL_STATUSES.filter((status) => holds(status, operator, wanted)));
    }
    switch (operator) {
      case '=':
        return this.equal(attribute, value, negated);
      case '!=':
        return `NOT (${this.equal(attribute, value, true)})`;
      default: {
        // Ids that are no UUIDs have a place among them all the same.
        if (attribute.form !== 'uuid') {
          const bound = this.bound(attribute, value);
          const isLower = operator === '>' || operator === '>=';
          return `${valueSql(attribute)} ${operator} ${bound}${isLower && !negated ? notClosedBefore(attribute, bound) : ''}`;
        }
        return `${attribute.sql}::text COLLATE "C" ${operator} ${this.add(textOf(attribute, value))}::text`;
      }
    }
  }

  private equal(attribute: Attribute, value: Value, negated: boolean): string {
    const parsed = parameter(attribute, value);
    // False for all who have the attribute, unknown for the others.
    if (parsed === null) return negated ? `${attribute.sql} IS NULL AND NULL` : 'false';
    if (attribute.type === ValueType.INDEXED_VALUE_TYPE_TEXT) return this.matches(attribute, String(parsed), value);
    if (attribute.type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST) {
      const contains =
        attribute.form === 'list'
          ? `${attribute.sql} @> ${this.add(JSON.stringify([parsed]))}::jsonb`
          : this.contains(attribute.name, [parsed]);
      return negated ? `CASE WHEN ${attribute.sql} IS NOT NULL THEN ${contains} END` : `(${contains})`;
    }
    // Containment finds its rows by the index.
    if (!negated && attribute.form === 'stored' && attribute.type === ValueType.INDEXED_VALUE_TYPE_KEYWORD) {
      return `(${this.contains(attribute.name, parsed)} OR ${this.contains(attribute.name, [parsed])})`;
    }
    return `${valueSql(attribute)} = ${this.add(parsed)}::${sqlType(attribute)}`;
  }

  private contains(name: string, stored: unknown): string {
    return `e.search_attributes @> ${this.add(JSON.stringify({ [name]: stored }))}::jsonb`;
  }

  /** Any of the words, each as Postgres splits it: `b-c` is found in "a, b-c". */
  private matches({ sql }: Attribute, text: string, { position }: Value): string {
    const words = text.split(/\s+/).filter(Boolean);
    if (words.length === 0) {
      throw new FilterError(
        `invalid expression: unexpected value for Text type search attribute (no tokens found in '${text}')`,
        position,
      );
    }
    const any = words.map((word) => `phraseto_tsquery('simple', ${this.add(word)})`).join(' || ');
    return `to_tsvector('simple', ${sql}) @@ (${any})`;
  }

  /** A range, where an index can find it. */
  private startsWith(attribute: Attribute, value: Value): string {
    const prefix = textOf(attribute, value);
    const text = attribute.form === 'uuid' ? `${attribute.sql}::text COLLATE "C"` : valueSql(attribute);
    if (prefix.includes('\0')) return `${attribute.sql} IS NULL AND NULL`;
    if (prefix === '') return `(${attribute.sql} IS NOT NULL OR NULL)`;
    const end = afterPrefix(prefix);
    const from = `${text} >= ${this.add(prefix)}::text`;
    return end === null ? from : `(${from} AND ${text} < ${this.add(end)}::text)`;
  }

  private in({ name, negated: isNotIn, values }: Condition<'in'>, negated: boolean): string {
    const attribute = this.resolve(name);
    checkOperator(attribute, isNotIn ? 'NOT IN' : 'IN', name);
    if (attribute.form === 'status') {
      const wanted = new Set(values.map(statusOf));
      return oneOf(ALL_STATUSES.filter((status) => wanted.has(status) !== isNotIn));
    }
    const unknown = negated || isNotIn;
    const isList = attribute.type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST;
    const byIndex = attribute.form === 'stored' && !unknown && values.length <= MAX_LOOKUPS;
    let any: string;
    if (isList || (byIndex && attribute.type === ValueType.INDEXED_VALUE_TYPE_KEYWORD)) {
      any = values.map((value) => this.equal(attribute, value, unknown)).join(' OR ');
    } else {
      const known = values.map((value) => parameter(attribute, value)).filter((value) => value !== null);
      any = `${valueSql(attribute)} = ANY (${this.add(known)}::${sqlType(attribute)}[])`;
    }
    return isNotIn ? `NOT (${any})` : `(${any})`;
  }

  private between({ name, negated, from, to }: Condition<'between'>): string {
    const attribute = this.resolve(name);
    if (!RANGE_TYPES.has(attribute.type)) {
      throw new FilterError(
        `invalid expression: cannot do range condition on search attribute '${name.name}' of type ${typeName(attribute.type)}`,
        name.position,
      );
    }
    if (attribute.form === 'status') {
      const [low, high] = [statusOf(from), statusOf(to)];
      return oneOf(ALL_STATUSES.filter((status) => (status >= low && status <= high) !== negated));
    }
    const not = negated ? 'NOT ' : '';
    if (attribute.form === 'uuid') {
      const bounds = [from, to].map((value) => `${this.add(textOf(attribute, value))}::text`);
      return `${attribute.sql}::text COLLATE "C" ${not}BETWEEN ${bounds.join(' AND ')}`;
    }
    const low = this.bound(attribute, from);
    const range = `${valueSql(attribute)} ${not}BETWEEN ${low} AND ${this.bound(attribute, to)}`;
    return negated ? range : `${range}${notClosedBefore(attribute, low)}`;
  }

  private bound(attribute: Attribute, value: Value): string {
    return `${this.add(parameter(attribute, value))}::${sqlType(attribute)}`;
  }

  private add(value: unknown): string {
    if (this.values.length >= MAX_PARAMETERS) throw new FilterError('operation is not supported: so many values');
    this.values.push(value);
    return `$${this.first + this.values.length - 1}`;
  }
}

function holds(status: number, operator: Comparison, wanted: number): boolean {
  switch (operator) {
    case '=':
      return status === wanted;
    case '!=':
      return status !== wanted;
    case '<':
      return status < wanted;
    case '<=':
      return status <= wanted;
    case '>':
      return status > wanted;
    default:
      return status >= wanted;
  }
}

/** What follows for the order of the list, where an index finds its end. The clocks of two processes may differ a little. */
const notClosedBefore = ({ beforeClose }: Attribute, time: string): string =>
  beforeClose ? ` AND ${CLOSE_ORDER} >= ${time} - interval '1 minute'` : '';

/** Literal, so that partial indexes are found; whether a run is open as a range of the list's order, which the planner knows better. */
function oneOf(statuses: number[]): string {
  if (statuses.length === 0) return 'false';
  if (statuses.length === ALL_STATUSES.length) return 'true';
  if (statuses.length === 1 && statuses[0] === 1) return `${CLOSE_ORDER} = 'infinity'`;
  const isClosed = `${CLOSE_ORDER} < 'infinity'`;
  if (statuses.length === ALL_STATUSES.length - 1 && !statuses.includes(1)) return isClosed;
  const condition =
    statuses.length === 1 ? `e.status = ${statuses[0]}` : `e.status = ANY ('{${statuses.join(',')}}'::smallint[])`;
  return statuses.includes(1) ? condition : `(${condition} AND ${isClosed})`;
}

/** The first text after all that begin with the prefix, byte by byte; null = there is none. */
function afterPrefix(prefix: string): string | null {
  const points = [...prefix].map((char) => char.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // No text has half a surrogate pair.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return String.fromCodePoint(...points, next);
  }
  return null;
}

/** Which operators a type knows (Temporal's table). */
function checkOperator({ type, form }: Attribute, operator: string, { name, position }: Name): void {
  const equality = operator === '=' || operator === '!=';
  const membership = operator === 'IN' || operator === 'NOT IN';
  const prefix = operator === 'STARTS_WITH' || operator === 'NOT STARTS_WITH';
  let allowed: boolean;
  if (type === ValueType.INDEXED_VALUE_TYPE_TEXT) allowed = equality;
  else if (type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST) allowed = equality || membership;
  else if (type === ValueType.INDEXED_VALUE_TYPE_KEYWORD) allowed = form !== 'status' || !prefix;
  else allowed = !prefix;
  if (allowed) return;
  throw new FilterError(
    `operation is not supported: operator '${operator}' not supported for ${typeName(type)} type search attribute '${name}'`,
    position,
  );
}
