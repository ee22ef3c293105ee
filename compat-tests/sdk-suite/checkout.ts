/** The checkout of the SDK's suite that somebody has made: nothing of it is in this repository. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const howTo = `The SDK's own suite is run from a checkout of it that you make:
  compat-tests/sdk-suite.md says in words how to set one up.
Then name its folder (the one that has packages/test/lib) in TEMPORAL_SDK_CHECKOUT and run this again.`;

export interface Checkout {
  folder: string;
  /** packages/test, where ava is started. */
  testPackage: string;
  /** Version of the published @temporalio/worker that is installed in it. */
  sdkVersion: string;
}

/** @throws Error that says how to get a checkout when there is none */
export function findCheckout(): Checkout {
  const folder = process.env.TEMPORAL_SDK_CHECKOUT;
  if (!folder) throw new Error(howTo);
  const testPackage = join(folder, 'packages/test');
  if (!existsSync(join(testPackage, 'lib'))) {
    throw new Error(`TEMPORAL_SDK_CHECKOUT is ${folder}, which has no packages/test/lib.\n${howTo}`);
  }
  const manifest = join(folder, 'node_modules/@temporalio/worker/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { folder, testPackage, sdkVersion: version };
}
