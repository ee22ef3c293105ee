/** Which versions of Temporal's packages the drop-ins run on, and a refusal of the others that says so. */
import { BranchlineError } from './branchline-error';

/**
 * 1.22 and older lack what this code uses of them (activity definitions with options, cancellation details of the activity context); versions
 * after 1.24 were not tried. `npm run compat:sdk-versions` runs on the lowest. The same range stands in package.json.
 */
export const supportedSdk = { lowest: [1, 23], below: [1, 25] } as const;

const told = (version: readonly number[]): string => version.join('.');

/** @throws BranchlineError `BRANCHLINE_SDK_VERSION` for a version that is not supported */
export function requireSupportedSdk(packageName: string, version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const { lowest, below } = supportedSdk;
  const isBefore = ([otherMajor, otherMinor]: readonly [number, number]): boolean =>
    major < otherMajor || (major === otherMajor && minor < otherMinor);
  if (!isBefore(lowest) && isBefore(below)) return;
  throw new BranchlineError(
    'BRANCHLINE_SDK_VERSION',
    `${packageName} ${version} is not supported: Branchline runs on ${told(lowest)} and later, below ${told(below)}. Install such a version of all of Temporal's packages.`,
  );
}

/** Imported for its effect by the drop-ins: looks at the packages that they are about to use. */
export function checkInstalledSdk(versionOf: (packageName: string) => string = installedVersion): void {
  for (const name of ['common', 'client', 'workflow', 'activity', 'proto']) {
    requireSupportedSdk(`@temporalio/${name}`, versionOf(`@temporalio/${name}`));
  }
}

function installedVersion(packageName: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is JSON of a package, whichever copy is seen from here
  return (require(`${packageName}/package.json`) as { version: string }).version;
}

/** Name and version as histories carry them: the workflow runtime is Temporal's, and replays by its rules. */
export const sdkStamp = { name: 'temporal-typescript', version: installedVersion('@temporalio/workflow') };

checkInstalledSdk();
