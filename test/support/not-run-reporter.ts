/** Says at the end of `npm test` which judge did not sit. */
import type { Reporter } from 'vitest/reporters' with { 'resolution-mode': 'import' };

export default class NotRunReporter implements Reporter {
  onTestRunEnd(): void {
    console.log(
      "Skipped here: the side-by-side comparison with a real Temporal server. Run it with `npm run compat:scenarios` (needs Temporal's CLI).",
    );
  }
}
