/** An executor whose attempts stand in the effects journal before they run. */
import { ensureApplicationFailure, type LoadedDataConverter } from '@temporalio/common';
import { encodeErrorToFailure } from '@temporalio/common/lib/internal-non-workflow';
import type { ActivityExecutor, ActivityResult, PreparedActivity } from './activity-executor';
import type { ActivityStart } from './activity-start';
import type { EffectsJournal } from './effects-journal';

export class JournaledExecutor implements ActivityExecutor {
  constructor(
    private readonly inner: ActivityExecutor,
    private readonly journal: EffectsJournal,
    private readonly options: { namespace: string; dataConverter: LoadedDataConverter },
  ) {}

  async prepare(
    start: ActivityStart,
    heartbeat: (details?: unknown) => void,
  ): Promise<PreparedActivity | ActivityResult> {
    const prepared = await this.inner.prepare(start, heartbeat);
    if (!('activity' in prepared)) return prepared;
    const { namespace, dataConverter } = this.options;
    const run = async (): Promise<ActivityResult> => {
      try {
        await this.journal.started(start, namespace);
      } catch (error) {
        // Its retry policy goes on.
        const failure = await encodeErrorToFailure(dataConverter, ensureApplicationFailure(error));
        return { status: 'failed', failure };
      }
      const result = await prepared.run();
      this.journal.ended(start, result);
      return result;
    };
    return { activity: prepared.activity, run };
  }

  encodeHeartbeat(
    ...given: Parameters<ActivityExecutor['encodeHeartbeat']>
  ): ReturnType<ActivityExecutor['encodeHeartbeat']> {
    return this.inner.encodeHeartbeat(...given);
  }
}
