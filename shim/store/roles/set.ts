/** A set of roles: one of each kind, with one prefix and one restriction. */
import { BranchlineError } from '../../common/branchline-error';
import { ROLE_KINDS, type RoleKind } from './rights';
import type { Scope } from './scope';

export interface RoleSet {
  prefix: string;
  kinds: readonly RoleKind[];
  scope: Scope;
}

export interface RoleSetOptions extends Scope {
  /** Begins the names of the roles. Default `branchline`. */
  prefix?: string;
}

export const STANDARD_PREFIX = 'branchline';

export const roleName = ({ prefix }: Pick<RoleSet, 'prefix'>, kind: RoleKind): string => `${prefix}_${kind}`;

export class RolesError extends BranchlineError {
  constructor(code: `BRANCHLINE_ROLES_${string}`, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.name = 'RolesError';
  }
}

/** A worker serves a task queue and an admin the whole: neither is of one tenant. */
const TENANT_KINDS: readonly RoleKind[] = ['reader', 'client'];

/** @throws RolesError BRANCHLINE_ROLES_OPTION for what does not make a set */
export function roleSet({ prefix = STANDARD_PREFIX, namespaces, tenant }: RoleSetOptions): RoleSet {
  if (!/^[a-z_][a-z0-9_]{0,49}$/.test(prefix)) {
    throw new RolesError(
      'BRANCHLINE_ROLES_OPTION',
      `Prefix '${prefix}': use small letters, digits and underscores, at most 50, no digit first.`,
    );
  }
  if (namespaces !== undefined && (namespaces.length === 0 || namespaces.includes(''))) {
    throw new RolesError('BRANCHLINE_ROLES_OPTION', 'Name the namespaces, separated by commas.');
  }
  if (namespaces !== undefined && prefix === STANDARD_PREFIX) {
    throw new RolesError(
      'BRANCHLINE_ROLES_OPTION',
      `The roles with prefix ${STANDARD_PREFIX} are those for all namespaces: give restricted ones another --prefix.`,
    );
  }
  if (tenant !== undefined && namespaces === undefined) {
    throw new RolesError('BRANCHLINE_ROLES_OPTION', 'A tenant is one of some namespaces: name them as well.');
  }
  return {
    prefix,
    kinds: tenant === undefined ? ROLE_KINDS : TENANT_KINDS,
    scope: { ...(namespaces === undefined ? {} : { namespaces }), ...(tenant === undefined ? {} : { tenant }) },
  };
}
