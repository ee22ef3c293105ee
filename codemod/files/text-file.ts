/** Reading and writing of text files, byte for byte outside of what changed. */
import { chmodSync, lstatSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Generated bundles and the like; a source file of this size is nobody's handwork. */
export const MAX_BYTES = 2 * 1024 * 1024;

export interface TextFile {
  /** Without the byte order mark. */
  text: string;
  bom: boolean;
}

/** The text with its mark. */
export const whole = ({ text, bom }: TextFile): string => (bom ? `\uFEFF${text}` : text);

export class Unreadable extends Error {}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws Unreadable with the reason: not there any more, no permission, not UTF-8 */
export function readText(file: string): TextFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Unreadable(`it could not be read: ${(error as Error).message}`);
  }
  try {
    const text = decoder.decode(bytes);
    return text.startsWith('\uFEFF') ? { text: text.slice(1), bom: true } : { text, bom: false };
  } catch {
    throw new Unreadable('it is not UTF-8');
  }
}

/** Regular files only: what a symbolic link leads to is handled where it is. */
export function sizeOfRegularFile(file: string): number | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true ? stats.size : undefined;
}

/** All or nothing: the new text stands in a file beside it before it takes its place. @throws Error also for a file that may not be written */
export function writeText(file: string, content: TextFile): void {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.branchline`);
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  // Taking its place asks for no right to the file itself.
  if (mode !== undefined && (mode & 0o222) === 0) throw new Error('it is read-only');
  try {
    writeFileSync(beside, whole(content), { ...(mode === undefined ? {} : { mode }) });
    // What the process's mask took away.
    if (mode !== undefined) chmodSync(beside, mode);
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
