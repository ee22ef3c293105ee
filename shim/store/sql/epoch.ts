/** A timestamp as the code has it: epoch ms. */
export const epochMs = (column: string): string => `extract(epoch FROM ${column})::float8 * 1000`;
