/**
 * An error of Branchline's own, where Temporal has no class for the case.
 * `code` is stable (`BRANCHLINE_…`), the message says what to do.
 */
export class BranchlineError extends Error {
  constructor(
    readonly code: `BRANCHLINE_${string}`,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'BranchlineError';
  }
}
