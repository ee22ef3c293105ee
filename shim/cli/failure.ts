/** How a command ends that cannot do what it was asked. */

/** The sentence, with the code for those who search for it; the stack of what has no code and is a fault of ours. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.message} (${code})` : (error.stack ?? error.message);
}

/** 1, or what the error says (57: the database is newer than this version). */
export const exitCodeOf = (error: unknown): number => (error as { exitCode?: number } | null)?.exitCode ?? 1;
