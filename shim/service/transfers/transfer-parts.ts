/** What work between runs needs of the service. */
import type { Store } from '../../store/types';
import type { Engine } from '../engine/api';
import { Code, ServiceError } from '../errors';
import type { RunHandle } from '../runs/run-handle';
import type { RunRegistry } from '../runs/registry';
import type { NamespaceInfo } from '../types';

export interface TransferParts {
  store: Store;
  engine: Engine;
  runs: RunRegistry;
  namespace(name: string | null | undefined): NamespaceInfo | Promise<NamespaceInfo>;
  newId(): string;
  scheduledChainEnded(scheduleId: string, run: RunHandle): Promise<void>;
}

export const isNotFound = (error: unknown): boolean => error instanceof ServiceError && error.code === Code.NOT_FOUND;
