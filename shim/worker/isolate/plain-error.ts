/** Errors on their way between threads. */
import { BranchlineError } from '../../common/branchline-error';

/** An error as it crosses a thread boundary. */
export interface PlainError {
  name: string;
  message: string;
  stack: string | undefined;
  code: string | undefined;
}

export function toPlainError(error: unknown): PlainError {
  const { name, message, stack, code } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as Partial<PlainError>;
  return {
    name: String(name ?? 'Error'),
    message: String(message ?? error),
    stack: typeof stack === 'string' ? stack : undefined,
    code: typeof code === 'string' ? code : undefined,
  };
}

export function fromPlainError({ name, message, stack, code }: PlainError): Error {
  const ours = code?.startsWith('BRANCHLINE_');
  const error = ours ? new BranchlineError(code as `BRANCHLINE_${string}`, message) : new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return code === undefined || ours ? error : Object.assign(error, { code });
}
