/** Says at the end of a run which judge did not sit. */
import type { Reporter } from 'vitest/reporters' with { 'resolution-mode': 'import' };
import { hasContainerEngine, withoutEngine } from './container-engine';

export default class NotRunReporter implements Reporter {
  onTestRunEnd(): void {
    console.log(
      "Skipped here: the side-by-side comparison with a real Temporal server. Run it with `npm run compat:scenarios` (needs Temporal's CLI).",
    );
    if (!hasContainerEngine) console.log(`Skipped here: ${withoutEngine}`);
  }
}
