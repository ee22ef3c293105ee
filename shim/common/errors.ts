/** Refusing what Branchline does not do: an option is honoured, or refused by name; never ignored. */
import { BranchlineError } from './branchline-error';

export { BranchlineError };

/** An option (or a value of one) that Branchline does not honour. `option` is its path as the user wrote it. */
export class BranchlineOptionError extends BranchlineError {
  constructor(
    readonly option: string,
    advice: string,
  ) {
    super('BRANCHLINE_UNSUPPORTED_OPTION', `Option '${option}' is not supported by Branchline: ${advice}`);
    this.name = 'BranchlineOptionError';
  }
}
