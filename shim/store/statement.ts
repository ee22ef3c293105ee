/** A statement with the name under which connections keep it prepared. */
export interface Statement {
  /** Undefined behind a pooler, where the next call may meet another connection. */
  name: string | undefined;
  text: string;
}

type Statements<T> = { readonly [K in keyof T]: Statement };

/** Names the statements of one table. */
export function prepareStatements<T extends Record<string, string>>(
  schema: string,
  table: string,
  texts: T,
  prepared: boolean,
): Statements<T> {
  const entries = Object.entries(texts).map(([key, text]) => [
    key,
    // Postgres cuts names at 63 bytes; node-pg refuses one name for two texts.
    { name: prepared ? `${table}_${key}_${schema}`.slice(0, 63) : undefined, text },
  ]);
  return Object.fromEntries(entries) as Statements<T>;
}
