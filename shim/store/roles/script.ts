/** The statements that make a set of roles, in their order; each may be run again. */
import { roleName, type RoleSet } from './set';
import { functionsOf, PRIVILEGES, tablesOf, VIEWS } from './rights';
import { BELONGING, conditions, isRestricted } from './scope';
import { quoted, schemaRights } from '../sql/roles';

/** What is remembered of a role, as the comment of its policy on `executions`. */
export interface Remark {
  role: string;
  namespaces?: string[];
  tenant?: { attribute: string; value: string };
  /** Newest migration when it was installed. */
  migration: number;
}

export function installScript(schema: string, set: RoleSet, migration: number): string[] {
  const rights = schemaRights(quoted(schema));
  const { scope } = set;
  const script: string[] = [rights.names, rights.waitShortly, rights.takeShort];
  if (isRestricted(scope)) script.push(rights.atLeast15, ...VIEWS.map(rights.asCaller));
  for (const kind of set.kinds) {
    const name = roleName(set, kind);
    const role = quoted(name);
    script.push(rights.create(name), ...rights.nothing(role), rights.use(role));
    const byLetters = new Map<string, string[]>();
    for (const [table, letters] of tablesOf(kind, isRestricted(scope)))
      byLetters.set(letters, [...(byLetters.get(letters) ?? []), table]);
    for (const [letters, tables] of byLetters) {
      script.push(rights.tables([...letters].map((letter) => PRIVILEGES[letter]!).join(', '), tables, role));
    }
    script.push(rights.tables('SELECT', VIEWS, role), rights.functions(functionsOf(kind), role));
    for (const table of Object.keys(BELONGING)) {
      const { using, check } = conditions(quoted(schema), table, scope);
      script.push(
        rights.dropPolicy(table, role),
        kind === 'reader' ? rights.readPolicy(table, role, using) : rights.policy(table, role, using, check),
      );
    }
    script.push(
      rights.remark('executions', role, JSON.stringify({ role: kind, ...scope, migration } satisfies Remark)),
    );
  }
  // Last: until then roles that have been there before see all.
  if (isRestricted(scope)) script.push(...Object.keys(BELONGING).map(rights.enable));
  return script;
}

/** `open`: no restricted role remains. */
export function uninstallScript(schema: string, names: string[], open: boolean): string[] {
  const rights = schemaRights(quoted(schema));
  const tables = Object.keys(BELONGING);
  return [
    rights.names,
    rights.waitShortly,
    rights.takeShort,
    ...names.flatMap((name) => [
      ...tables.map((table) => rights.dropPolicy(table, quoted(name))),
      ...rights.nothing(quoted(name)),
      rights.drop(name),
    ]),
    ...(open ? tables.map(rights.disable) : []),
  ];
}
