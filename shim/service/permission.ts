/** What the login of this process may not do in Postgres, as the refusal that a Temporal server would give. */
import { INSUFFICIENT_PRIVILEGE, UNIQUE_VIOLATION, codeOf } from '../store/errors';
import { Code, ServiceError } from './errors';

/** PERMISSION_DENIED for Postgres's refusal; undefined for other errors. */
export function denied(error: unknown): ServiceError | undefined {
  if (codeOf(error) !== INSUFFICIENT_PRIVILEGE) return undefined;
  const details = `Postgres refused it to this login: ${(error as Error).message} (docs/roles.md)`;
  return new ServiceError(Code.PERMISSION_DENIED, details, [], { cause: error });
}

/** A workflow id that another tenant has: policies hide his run, not that it is there. */
export function takenUnseen(error: unknown): ServiceError | undefined {
  if (codeOf(error) !== UNIQUE_VIOLATION) return undefined;
  const details = 'The id is taken by something that this login does not see (docs/roles.md)';
  return new ServiceError(Code.ALREADY_EXISTS, details, [], { cause: error });
}

export const mayNotWork = (): ServiceError =>
  new ServiceError(
    Code.PERMISSION_DENIED,
    'This login may not take tasks: workers need the role branchline_worker, or that of their namespace (docs/roles.md)',
  );
