/** What compat-tests/out/sdk-versions.json holds, one for each version that was run. */
export interface VersionResult {
  /** Of Temporal's packages. */
  version: string;
  date: string;
  tests: { passed: number; failed: number };
  /** Undefined without Temporal's CLI. */
  scenarios: { passed: number; failed: number } | undefined;
}
