/** Errors of the store, and which of Postgres's are passing ones. */
import { BranchlineError } from '../common/branchline-error';

/** The database cannot be reached, or what was given does not lead to one. */
export class DatabaseConnectionError extends BranchlineError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('BRANCHLINE_DATABASE_CONNECTION', message, options);
    this.name = 'DatabaseConnectionError';
  }
}

/** The database was migrated by a newer version than this one. Command-line programs end with `exitCode`. */
export class DatabaseNewerError extends BranchlineError {
  readonly exitCode = 57;
  constructor(schema: string, databaseVersion: number, codeVersion: number) {
    super(
      'BRANCHLINE_DATABASE_NEWER',
      `Schema "${schema}" has migration ${databaseVersion}, this version of branchline knows ${codeVersion}. ` +
        `Install the version of branchline that migrated it (or a newer one) in this process too.`,
    );
    this.name = 'DatabaseNewerError';
  }
}

/** Migrations are missing, and `migrate` is false or the login may not apply them. */
export class DatabaseOlderError extends BranchlineError {
  constructor(schema: string, databaseVersion: number, codeVersion: number, options?: { cause?: unknown }) {
    super(
      'BRANCHLINE_DATABASE_OLDER',
      `Schema "${schema}" has migration ${databaseVersion}, this version of branchline needs ${codeVersion}. ` +
        (options?.cause === undefined
          ? `Open it once with migrate: true, as a user who may create tables.`
          : `This login may not migrate (${(options.cause as Error).message}): connect once with this version as the owner, then run branchline roles install again.`),
      options,
    );
    this.name = 'DatabaseOlderError';
  }
}

/** The login may not read the tables. */
export class DatabaseRightsError extends BranchlineError {
  constructor(schema: string, cause: unknown) {
    super(
      'BRANCHLINE_DATABASE_RIGHTS',
      `This login has no rights in schema "${schema}" (${(cause as Error).message}): make it a member of the client or the worker role, ` +
        `or of the admin role: branchline roles grant <login> --role client`,
      { cause },
    );
    this.name = 'DatabaseRightsError';
  }
}

/** The store was closed before the operation was done. The fate of a commit is then unknown. */
export class StoreClosedError extends BranchlineError {
  constructor() {
    super('BRANCHLINE_STORE_CLOSED', 'The store was closed');
    this.name = 'StoreClosedError';
  }
}

/** A test environment skips time, which is time of one process: another one would silently have a different one. */
export class TimeSkippedError extends BranchlineError {
  /** @param skipsTime it is the other process that skips time, not this one */
  constructor(identity: string, skipsTime: boolean) {
    super(
      'BRANCHLINE_TIME_SKIPPED',
      skipsTime
        ? `This test environment skips time in process ${identity}, and in that one only: run clients and workers there, or use createLocal.`
        : `Time cannot be skipped where process ${identity} works in real time: let the environment make a schema of its own.`,
    );
    this.name = 'TimeSkippedError';
  }
}

/** The name (or uuid) of a new namespace is taken. */
export class NamespaceExistsError extends BranchlineError {
  constructor(readonly namespace: string) {
    super('BRANCHLINE_NAMESPACE_EXISTS', `Namespace "${namespace}" exists`);
    this.name = 'NamespaceExistsError';
  }
}

/** SQLSTATE of a missing right, and of a row that row-level security does not let the login write. */
export const INSUFFICIENT_PRIVILEGE = '42501';
export const UNIQUE_VIOLATION = '23505';

/** SQLSTATE or Node's error code, '' if none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** In words: Node gives an AggregateError without any when a name has several addresses and none of them answers. */
export function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

const socketErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * The connection is gone or could not be made: nothing wrong with the statement.
 * 57P01..57P03: shutdown, crash, starting up; 53300: too many connections; 25006: a server that is still (or again) a standby.
 */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (socketErrors.has(code) || code.startsWith('08') || code === '53300' || code === '25006') return true;
  if (code === '57P01' || code === '57P02' || code === '57P03') return true;
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss);
  // node-pg's own errors carry no code.
  const message = error instanceof Error ? error.message : '';
  return (
    code === '' &&
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|not queryable|server closed the connection|Client was closed/i.test(
      message,
    )
  );
}

/** Passing trouble between statements: serialisation failure, deadlock, lock timeout, cancelled, out of some resource. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code === '40001' || code === '40P01' || code === '55P03' || code === '57014' || code.startsWith('53');
}
