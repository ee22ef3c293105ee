/** A task that belongs to another version than the one that wants to start it: it has been, or is now, handed out anew. */
import { Code, ServiceError } from '../../errors';

class ObsoleteTaskError extends ServiceError {}

export const obsoleteTask = (): ServiceError =>
  new ObsoleteTaskError(Code.NOT_FOUND, 'The task belongs to another version.');
export const isObsoleteTask = (error: unknown): boolean => error instanceof ObsoleteTaskError;
