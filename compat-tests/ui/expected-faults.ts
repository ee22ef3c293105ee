/** Errors of the pages that say nothing about us, one by one. */
import type { Expected } from './faults';

export const expectedFaults: readonly Expected[] = [];
