/** What the commands that read source text have in common. */

/** Through the public door, and only now: it loads the TypeScript compiler. */
export async function loadCodemod(): Promise<typeof import('branchline/codemod')> {
  try {
    return await import('branchline/codemod');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error;
    throw Object.assign(
      new Error(
        "The codemod's packages are not installed (npm was told to leave optional dependencies out): npm install ts-morph@28 diff@9",
      ),
      { code: 'BRANCHLINE_CODEMOD_PACKAGES' },
    );
  }
}

/** A line on stderr each two seconds; nothing for what is done by then. */
export function progress(): (done: number, total: number) => void {
  let next = Date.now() + 2000;
  return (done, total) => {
    if (Date.now() < next) return;
    next = Date.now() + 2000;
    process.stderr.write(`${done} of ${total} files\n`);
  };
}
