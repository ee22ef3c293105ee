/** Installs, shows and removes group roles, as the owner of the schema. */
import type { Client } from 'pg';
import { codeOf, INSUFFICIENT_PRIVILEGE } from '../errors';
import { migrate, readMigrations } from '../migrate';
import { plainClient } from '../plain-client';
import { checkedSchema } from '../schema-name';
import { quoted, roles, schemaRights } from '../sql/roles';
import { ROLE_KINDS, type RoleKind } from './rights';
import { installScript, uninstallScript, type Remark } from './script';
import { roleName, RolesError, roleSet, STANDARD_PREFIX, type RoleSetOptions } from './set';
import { isRestricted } from './scope';

export interface InstalledRole {
  name: string;
  kind: RoleKind;
  /** Undefined = all. */
  namespaces?: string[];
  tenant?: { attribute: string; value: string };
  /** Roles that were granted it. */
  members: string[];
  /** Installed before the newest migration: it may lack rights that the code needs now. */
  outdated: boolean;
}

interface Standing {
  server: number;
  login: string;
  migration: number;
  schema_owner: string;
  owns_schema: boolean;
  table_owner: string;
  owns_tables: boolean;
  creates_roles: boolean;
  there: string[];
  taken: string[];
  public_is_open: boolean;
}

/** Views that read with the rights of who asks. */
const OLDEST_RESTRICTED = 150_000;
/** Timeouts of locks and statements; a deadlock; "tuple concurrently updated", of two that grant at once. */
const PASSING: ReadonlySet<string> = new Set(['55P03', '57014', '40P01', 'XX000']);
/** Tries while others hold what the policies need. */
const TRIES = 10;
const newestMigration = (): number => readMigrations().at(-1)!.version;

/** The statements of `install`, for whoever runs SQL himself. @throws RolesError BRANCHLINE_ROLES_OPTION */
export function printedInstall(schema: string, options: RoleSetOptions): string {
  const set = roleSet(options);
  checkedSchema(schema);
  const needs = isRestricted(set.scope) ? '15 or newer' : '14 or newer';
  return [
    `-- Postgres ${needs}; as the owner of schema "${schema}", with CREATEROLE unless the roles are there. May be run again.`,
    'BEGIN;',
    ...installScript(schema, set, newestMigration()).map((statement) => `${statement};`),
    'COMMIT;',
    '',
  ].join('\n');
}

export class RoleAdmin {
  /** Known after an install: everybody may create functions and operators in schema `public`, as in clusters from before Postgres 15. */
  publicIsOpen = false;

  private constructor(
    private readonly client: Client,
    private readonly schema: string,
  ) {}

  /**
   * Runs `work` on a connection of its own; no lease is taken.
   * @throws DatabaseConnectionError no database named, or not reachable
   */
  static async with<R>(
    { url, schema }: { url?: string; schema?: string },
    work: (admin: RoleAdmin) => Promise<R>,
  ): Promise<R> {
    const name = checkedSchema(schema);
    const client = await plainClient(url, 'roles');
    try {
      return await work(new RoleAdmin(client, name));
    } finally {
      await client.end();
    }
  }

  /**
   * Makes the tables if they are not there, then the roles; what is there is brought to what this version needs.
   * @throws RolesError BRANCHLINE_ROLES_RIGHTS not the owner, or no CREATEROLE; BRANCHLINE_ROLES_TAKEN a role of that name is no group;
   *   BRANCHLINE_ROLES_NAMESPACE, BRANCHLINE_ROLES_TENANT what they are restricted to is not there; BRANCHLINE_ROLES_POSTGRES restricted ones on Postgres 14;
   *   BRANCHLINE_ROLES_BUSY others held the tables for too long
   */
  async install(options: RoleSetOptions): Promise<InstalledRole[]> {
    const set = roleSet(options);
    const { namespaces, tenant } = set.scope;
    await migrate(this.client, this.schema, true).catch((error: unknown) => {
      throw rightsError(error) ?? error;
    });
    const names = set.kinds.map((kind) => roleName(set, kind));
    const standing = await this.owner(names);
    if (standing.taken.length > 0) {
      throw new RolesError(
        'BRANCHLINE_ROLES_TAKEN',
        `${standing.taken.join(', ')} can log in or may do more than groups do: choose another --prefix.`,
      );
    }
    const missing = names.filter((name) => !standing.there.includes(name));
    if (missing.length > 0 && !standing.creates_roles) {
      throw new RolesError(
        'BRANCHLINE_ROLES_RIGHTS',
        `"${standing.login}" may not create ${missing.join(', ')}: give it CREATEROLE, let the DBA run CREATE ROLE … NOLOGIN for them first, or give him what --print prints.`,
      );
    }
    if (namespaces !== undefined) {
      if (standing.server < OLDEST_RESTRICTED) {
        throw new RolesError(
          'BRANCHLINE_ROLES_POSTGRES',
          `Roles for some namespaces need Postgres 15: on ${Math.floor(standing.server / 10_000)} views cannot read with the rights of who asks.`,
        );
      }
      await this.mustBeThere(namespaces, tenant);
    }
    await this.inTransaction(installScript(this.schema, set, standing.migration));
    return (await this.installed()).filter(({ name }) => names.includes(name));
  }

  /** All that are installed in this schema, with any prefix; for whoever can connect. */
  async installed(): Promise<InstalledRole[]> {
    const { rows } = await this.client.query<{ name: string; remark: string; members: string[] }>(this.sql.installed, [
      `${quoted(this.schema)}.executions`,
    ]);
    const newest = newestMigration();
    return rows.map(({ name, remark, members }) => {
      const { role, migration, ...scope } = JSON.parse(remark) as Remark;
      return { name, kind: role as RoleKind, ...scope, members, outdated: migration < newest };
    });
  }

  /**
   * Takes the roles of a prefix away, and with them the rights of their members; what went.
   * @throws RolesError BRANCHLINE_ROLES_RIGHTS; BRANCHLINE_ROLES_IN_USE they have rights elsewhere
   */
  async uninstall(prefix: string = STANDARD_PREFIX): Promise<InstalledRole[]> {
    const all = await this.installed();
    const names = ROLE_KINDS.map((kind) => roleName({ prefix }, kind));
    const going = all.filter(({ name }) => names.includes(name));
    if (going.length === 0) return [];
    const { creates_roles: createsRoles, login } = await this.owner(names);
    if (!createsRoles)
      throw new RolesError('BRANCHLINE_ROLES_RIGHTS', `"${login}" may not drop roles: give it CREATEROLE.`);
    const open = all.every((role) => going.includes(role) || role.namespaces === undefined);
    await this.inTransaction(
      uninstallScript(
        this.schema,
        going.map(({ name }) => name),
        open,
      ),
    );
    return going;
  }

  /** Makes a login a member. @throws RolesError BRANCHLINE_ROLES_NOT_INSTALLED, BRANCHLINE_ROLES_RIGHTS, BRANCHLINE_ROLES_LOGIN */
  grant(kind: RoleKind, login: string, prefix?: string): Promise<string> {
    return this.membership('join', kind, login, prefix);
  }

  /** The opposite of `grant`. */
  revoke(kind: RoleKind, login: string, prefix?: string): Promise<string> {
    return this.membership('leave', kind, login, prefix);
  }

  private get sql() {
    return roles(quoted(this.schema));
  }

  private async membership(
    how: 'join' | 'leave',
    kind: RoleKind,
    login: string,
    prefix = STANDARD_PREFIX,
  ): Promise<string> {
    const name = roleName({ prefix }, kind);
    if (!(await this.installed()).some((role) => role.name === name)) {
      throw new RolesError(
        'BRANCHLINE_ROLES_NOT_INSTALLED',
        `${name} is not installed: run branchline roles install first.`,
      );
    }
    try {
      await this.client.query(schemaRights(quoted(this.schema))[how](quoted(name), login));
    } catch (error) {
      if (codeOf(error) === '42704')
        throw new RolesError('BRANCHLINE_ROLES_LOGIN', `${(error as Error).message}: create it first.`);
      throw rightsError(error) ?? error;
    }
    return name;
  }

  /** @throws RolesError BRANCHLINE_ROLES_RIGHTS */
  private async owner(names: string[]): Promise<Standing> {
    const { rows } = await this.client.query<Standing>(this.sql.standing, [this.schema, names]);
    const standing = rows[0];
    if (standing === undefined) {
      throw new RolesError('BRANCHLINE_ROLES_NOT_INSTALLED', `There are no tables in schema "${this.schema}".`);
    }
    this.publicIsOpen = standing.public_is_open;
    const { login, owns_schema: ownsSchema, owns_tables: ownsTables } = standing;
    if (!ownsSchema || !ownsTables) {
      const owner = ownsTables ? standing.schema_owner : standing.table_owner;
      throw new RolesError(
        'BRANCHLINE_ROLES_RIGHTS',
        `"${login}" does not own ${ownsTables ? 'the schema' : 'the tables of'} "${this.schema}": do this as "${owner}".`,
      );
    }
    return standing;
  }

  private async mustBeThere(namespaces: string[], tenant: RoleSetOptions['tenant']): Promise<void> {
    const found = async (text: string, values: unknown[]): Promise<string[]> =>
      (await this.client.query<{ name: string }>(text, values)).rows.map(({ name }) => name);
    const known = await found(this.sql.namespaces, [namespaces]);
    const unknown = namespaces.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
      throw new RolesError(
        'BRANCHLINE_ROLES_NAMESPACE',
        `Namespace ${unknown.join(', ')} is not found: register it first.`,
      );
    }
    if (tenant === undefined) return;
    const having = await found(this.sql.keywords, [namespaces, tenant.attribute]);
    const lacking = namespaces.filter((name) => !having.includes(name));
    if (lacking.length > 0) {
      throw new RolesError(
        'BRANCHLINE_ROLES_TENANT',
        `Search attribute ${tenant.attribute} is not a Keyword of namespace ${lacking.join(', ')}: add it there first.`,
      );
    }
  }

  /** @throws RolesError */
  private async inTransaction(script: string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.client.query('BEGIN');
        for (const statement of script) await this.client.query(statement);
        await this.client.query('COMMIT');
        return;
      } catch (error) {
        await this.client.query('ROLLBACK').catch(() => {});
        const code = codeOf(error);
        if (!PASSING.has(code)) throw rightsError(error) ?? error;
        if (tries === TRIES) {
          throw new RolesError(
            'BRANCHLINE_ROLES_BUSY',
            `Others have held the tables for too long (${(error as Error).message}): nothing was changed, try again.`,
            { cause: error },
          );
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
    }
  }
}

function rightsError(error: unknown): RolesError | undefined {
  const message = (error as Error).message;
  switch (codeOf(error)) {
    case INSUFFICIENT_PRIVILEGE:
      return new RolesError('BRANCHLINE_ROLES_RIGHTS', `Postgres refused it: ${message}.`, { cause: error });
    case '2BP01':
      return new RolesError(
        'BRANCHLINE_ROLES_IN_USE',
        `${message}: uninstall them in the other schemas and databases first.`,
        { cause: error },
      );
    default:
      return undefined;
  }
}
