/** A routed connection in the check of payloads. */
import { hostname } from 'node:os';
import type { DataConverter, LoadedDataConverter, Logger } from '@temporalio/common';
import { isLoadedDataConverter, loadDataConverter } from '@temporalio/common/lib/internal-non-workflow';
import type { Store } from '../../store/types';
import type { RouteSource } from '../routes/source';
import { Parity } from './parity';

export const ownIdentity = (): string => `${process.pid}@${hostname()}`;

/** @throws ValueError for a converter that cannot be loaded */
export function clientParity(
  given: DataConverter | LoadedDataConverter | undefined,
  store: Store,
  routes: RouteSource,
  logger: Logger,
): Parity {
  return new Parity({
    store,
    // Clients are of all namespaces; serialization contexts want one.
    places: given === undefined ? [] : [{ engine: null, namespace: 'default', taskQueue: '' }],
    converter: given === undefined ? undefined : loaded(given),
    identity: ownIdentity(),
    logger,
    defaultEngine: () => routes.current.default,
  });
}

export const loaded = (given: DataConverter | LoadedDataConverter | undefined): LoadedDataConverter =>
  isLoadedDataConverter(given) ? given : loadDataConverter(given);
