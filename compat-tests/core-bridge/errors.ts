/** The error classes of the package that this one stands in for: plain JavaScript, no native code. */
import * as errors from '@temporalio/core-bridge/lib/errors';

export { errors };
