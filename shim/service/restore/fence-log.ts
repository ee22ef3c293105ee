/** Says when the fence goes up and down: a process that does nothing should tell why. */
import type { Store } from '../../store/types';
import type { Warn } from '../limit-log';

/** Until the returned function is called. */
export function logFence(store: Store, warn: Warn): () => void {
  const tell = (): void =>
    store.fence.raised
      ? warn(
          "No work is given out: the fence is up since a restore of the database, or by hand. 'branchline restore check' lists what was in flight, 'branchline restore release' ends it",
          { code: 'BRANCHLINE_FENCED' },
        )
      : warn('The fence is down: work is given out again', {});
  if (store.fence.raised) tell();
  return store.onNotice(({ kind }) => {
    if (kind === 'fence') tell();
  });
}
