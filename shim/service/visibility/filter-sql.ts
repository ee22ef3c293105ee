/** A parsed list filter as an SQL condition over `executions` (alias e). Values are always parameters. */
import { type Attribute, NAMESPACE_DIVISION, ValueType, literal, resolveAttribute } from './attributes';
import { FilterError } from './lexer';
import type { Comparison, Filter, Value } from './parser';
import { parameter, typeName, wrongType } from './values';

/** Parameter $1 is the namespace. */
const FIRST_PARAMETER = 2;

export interface FilterSql {
  /** '' = all. */
  condition: string;
  values: unknown[];
  /** The filter names the division: it is not for the ordinary one alone. */
  allDivisions?: true;
}

/** `custom`: the namespace's own attributes, name → IndexedValueType. */
export function filterSql(where: Filter | null, custom: Record<string, number>): FilterSql {
  const writer = new ConditionWriter(custom);
  const condition = where === null ? '' : writer.write(where, false);
  // Runs of another division (schedules) are shown only to those who ask for them.
  const own = `e.search_attributes ->> ${literal(NAMESPACE_DIVISION)} IS NULL`;
  if (writer.divisionNamed) return { condition, values: writer.values, allDivisions: true };
  return { condition: condition === '' ? own : `${own} AND (${condition})`, values: writer.values };
}

const RANGE_TYPES: ReadonlySet<ValueType> = new Set([
  ValueType.INDEXED_VALUE_TYPE_DATETIME,
  ValueType.INDEXED_VALUE_TYPE_DOUBLE,
  ValueType.INDEXED_VALUE_TYPE_INT,
  ValueType.INDEXED_VALUE_TYPE_KEYWORD,
]);

class ConditionWriter {
  readonly values: unknown[] = [];
  divisionNamed = false;

  constructor(private readonly custom: Record<string, number>) {}

  /** `negated`: under a NOT, where a missing attribute must stay unknown (SQL's null) rather than false. */
  write(filter: Filter, negated: boolean): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return `(${this.write(filter.left, negated)} ${filter.kind.toUpperCase()} ${this.write(filter.right, negated)})`;
      case 'not':
        return `NOT (${this.write(filter.operand, true)})`;
      case 'null':
        return `${this.resolve(filter.name).sql} IS ${filter.negated ? 'NOT ' : ''}NULL`;
      case 'between':
        return this.between(filter);
      case 'in': {
        const attribute = this.resolve(filter.name);
        checkOperator(attribute, filter.negated ? 'NOT IN' : 'IN');
        const any = filter.values.map((value) => this.equal(attribute, value, negated || filter.negated)).join(' OR ');
        return filter.negated ? `NOT (${any})` : `(${any})`;
      }
      case 'compare':
        return this.compare(filter.name, filter.operator, filter.value, negated);
    }
  }

  private resolve(name: string): Attribute {
    const attribute = resolveAttribute(name, this.custom);
    if (attribute.name === NAMESPACE_DIVISION) this.divisionNamed = true;
    return attribute;
  }

  private compare(name: string, operator: Comparison, value: Value, negated: boolean): string {
    const attribute = this.resolve(name);
    checkOperator(attribute, operator.toUpperCase());
    switch (operator) {
      case '=':
        return this.equal(attribute, value, negated);
      case '!=':
        return `NOT (${this.equal(attribute, value, true)})`;
      case 'starts_with':
      case 'not starts_with': {
        if (typeof value.value !== 'string') throw wrongType(attribute, value);
        const text = `starts_with(${asText(attribute)}, ${this.add(value.value)}::text)`;
        return operator === 'starts_with' ? text : `NOT (${text})`;
      }
      default:
        return `${this.typed(attribute)} ${operator} ${this.bound(attribute, value)}`;
    }
  }

  private equal(attribute: Attribute, value: Value, negated: boolean): string {
    const parsed = parameter(attribute, value);
    if (parsed === null) return 'false';
    if (attribute.type === ValueType.INDEXED_VALUE_TYPE_TEXT) {
      const words = String(parsed).split(/\s+/).filter(Boolean);
      const any = words.map((word) => `plainto_tsquery('simple', ${this.add(word)})`).join(' || ');
      return words.length === 0 ? 'false' : `to_tsvector('simple', ${attribute.sql}) @@ (${any})`;
    }
    if (attribute.type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST) {
      const contains =
        attribute.form === 'list'
          ? `${attribute.sql} @> ${this.add(JSON.stringify([parsed]))}::jsonb`
          : `e.search_attributes @> ${this.add(JSON.stringify({ [attribute.name]: [parsed] }))}::jsonb`;
      return negated ? `CASE WHEN ${attribute.sql} IS NOT NULL THEN ${contains} END` : `(${contains})`;
    }
    // Containment finds its rows by the index.
    if (!negated && attribute.form === 'stored' && attribute.type === ValueType.INDEXED_VALUE_TYPE_KEYWORD) {
      const contains = (stored: unknown): string =>
        `e.search_attributes @> ${this.add(JSON.stringify({ [attribute.name]: stored }))}::jsonb`;
      return `(${contains(parsed)} OR ${contains([parsed])})`;
    }
    return `${this.typed(attribute)} = ${this.bound(attribute, value)}`;
  }

  private between(filter: Extract<Filter, { kind: 'between' }>): string {
    const attribute = this.resolve(filter.name);
    if (!RANGE_TYPES.has(attribute.type)) {
      throw new FilterError(
        `invalid expression: cannot do range condition on search attribute '${filter.name}' of type ${typeName(attribute.type)}`,
      );
    }
    const [from, to] = [this.bound(attribute, filter.from), this.bound(attribute, filter.to)];
    return `${this.typed(attribute)} ${filter.negated ? 'NOT ' : ''}BETWEEN ${from} AND ${to}`;
  }

  /** The left side, as a value of its type. */
  private typed(attribute: Attribute): string {
    const { sql, form, type } = attribute;
    if (form === 'status' || form === 'uuid') return sql;
    if (form === 'plain' || form === 'duration') return isText(type) ? `${sql} COLLATE "C"` : `(${sql})`;
    return isText(type) ? `(${sql}) COLLATE "C"` : `(${sql})::${sqlType(attribute)}`;
  }

  private bound(attribute: Attribute, value: Value): string {
    return `${this.add(parameter(attribute, value))}::${sqlType(attribute)}`;
  }

  private add(value: unknown): string {
    this.values.push(value);
    return `$${FIRST_PARAMETER + this.values.length - 1}`;
  }
}

const isText = (type: ValueType): boolean =>
  type === ValueType.INDEXED_VALUE_TYPE_KEYWORD || type === ValueType.INDEXED_VALUE_TYPE_TEXT;

const asText = (attribute: Attribute): string => (attribute.form === 'uuid' ? `${attribute.sql}::text` : attribute.sql);

function sqlType({ form, type }: Attribute): string {
  if (form === 'status') return 'smallint';
  if (form === 'uuid') return 'uuid';
  switch (type) {
    case ValueType.INDEXED_VALUE_TYPE_DATETIME:
      return 'timestamptz';
    case ValueType.INDEXED_VALUE_TYPE_INT:
    case ValueType.INDEXED_VALUE_TYPE_DOUBLE:
      return 'numeric';
    case ValueType.INDEXED_VALUE_TYPE_BOOL:
      return 'boolean';
    default:
      return 'text';
  }
}

/** Which operators a type knows (Temporal's table). */
function checkOperator({ name, type, form }: Attribute, operator: string): void {
  const equality = operator === '=' || operator === '!=';
  const membership = operator === 'IN' || operator === 'NOT IN';
  const prefix = operator === 'STARTS_WITH' || operator === 'NOT STARTS_WITH';
  let allowed: boolean;
  if (type === ValueType.INDEXED_VALUE_TYPE_TEXT) allowed = equality;
  else if (type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST) allowed = equality || membership;
  else if (type === ValueType.INDEXED_VALUE_TYPE_KEYWORD) allowed = form !== 'status' || !prefix;
  else allowed = !prefix;
  if (!allowed) {
    throw new FilterError(
      `operation is not supported: operator '${operator}' not supported for ${typeName(type)} type search attribute '${name}'`,
    );
  }
}
