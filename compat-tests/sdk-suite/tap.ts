/** Reading what ava tells of one test file (TAP). */

export interface FileOutcome {
  passed: number;
  /** Titles of the tests that failed or did not come to an end. */
  failed: string[];
  /** What the file took. */
  seconds?: number;
}

/** Hooks are told of like tests; what they break is told of by the tests themselves. */
const hook = /(^|› )(before|after|beforeEach|afterEach)(\.always)? hook/;

export function readTap(text: string): FileOutcome {
  const outcome: FileOutcome = { passed: 0, failed: [] };
  for (const line of text.split('\n')) {
    const told = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (told === null) continue;
    const title = told[2]!.replace(/ # (SKIP|TODO)\b.*$/, '');
    if (hook.test(title) || title !== told[2]) continue;
    if (told[1] === undefined) outcome.passed += 1;
    else outcome.failed.push(title);
  }
  return outcome;
}
