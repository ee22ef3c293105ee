/** What work between runs needs of the service. */
import type { Store } from '../../store/types';
import type { Engine } from '../engine/api';
import { Code, ServiceError } from '../errors';
import type { RunRegistry } from '../runs/registry';
import type { NamespaceInfo } from '../types';

export interface TransferParts {
  store: Store;
  engine: Engine;
  runs: RunRegistry;
  namespace(name: string | null | undefined): Promise<NamespaceInfo>;
  newId(): string;
}

export const isNotFound = (error: unknown): boolean => error instanceof ServiceError && error.code === Code.NOT_FOUND;
