/** What the login of this process may not do in Postgres, as the refusal that a Temporal server would give. */
import { Code, ServiceError } from './errors';

/** SQLSTATE of a missing right, and of a row that row-level security does not let the login write. */
const INSUFFICIENT_PRIVILEGE = '42501';

/** @throws ServiceError PERMISSION_DENIED in place of Postgres's refusal; others as they are */
export function throwDenied(error: unknown): never {
  if ((error as { code?: unknown } | null)?.code !== INSUFFICIENT_PRIVILEGE) throw error;
  throw new ServiceError(
    Code.PERMISSION_DENIED,
    `Postgres refused it to this login: ${(error as Error).message} (docs/roles.md)`,
    [],
    { cause: error },
  );
}

export const mayNotWork = (): ServiceError =>
  new ServiceError(
    Code.PERMISSION_DENIED,
    'This login may not take tasks: workers need the role branchline_worker, or that of their namespace (docs/roles.md)',
  );
