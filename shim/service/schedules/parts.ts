/** What schedules need of the service. */
import type { Store } from '../../store/types';
import type { Engine } from '../engine/api';
import type { RunRegistry } from '../runs/registry';
import type { CurrentRuns } from '../target';
import type { Starter } from '../start';
import type { NamespaceInfo } from '../types';

export interface ScheduleParts {
  store: Store;
  engine: Engine;
  runs: RunRegistry;
  starter: Starter;
  current: CurrentRuns;
  namespace(name: string | null | undefined): NamespaceInfo | Promise<NamespaceInfo>;
  newId(): string;
}
