/** What a command refuses to begin with; the message says what to do. */
export class CodemodError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'CodemodError';
  }
}
