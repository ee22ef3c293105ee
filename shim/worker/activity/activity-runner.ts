/** Runs activity attempts, remote and local alike: finds the function, reads its arguments, executes it. */
import type { Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  ApplicationFailure,
  ensureApplicationFailure,
  isActivityFunctionWithOptions,
  type ActivityFunction,
  type LoadedDataConverter,
  type Logger,
  type MetricMeter,
} from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  encodeErrorToFailure,
  encodeToPayload,
} from '@temporalio/common/lib/internal-non-workflow';
import { errorMessage } from '@temporalio/common/lib/type-helpers';
import type { temporal } from '@temporalio/proto';
import type { ActivityExecuteInput, ActivityInterceptorsFactory } from '../interceptors';
import {
  refuseReferencesOfStart,
  retrieveStart,
  storePayloads,
  storeResult,
  targetOfActivity,
} from '../external-storage';
import type { Rpc } from '../polling/rpc';
import { Activity, activityLogAttributes } from './activity';
import type { ActivityExecutor, ActivityResult, PreparedActivity } from './activity-executor';
import { activityInfo, serializationContext, type ActivityStart } from './activity-start';

export interface ActivityRunnerOptions {
  namespace: string;
  taskQueue: string;
  activities: Map<string, ActivityFunction>;
  dataConverter: LoadedDataConverter;
  interceptors: ActivityInterceptorsFactory[];
  logger: Logger;
  metricMeter: MetricMeter;
  /** For `transaction()`; undefined where nobody gives any. */
  transactions?: { rpc: Rpc; identity: string };
  /** The client that activities get by `getClient()`. */
  client: () => Client | undefined;
}

export class ActivityRunner implements ActivityExecutor {
  constructor(private readonly options: ActivityRunnerOptions) {}

  async prepare(
    given: ActivityStart,
    heartbeat: (details?: unknown) => void,
  ): Promise<PreparedActivity | ActivityResult> {
    const { namespace, taskQueue, activities, dataConverter, logger } = this.options;
    const context = serializationContext(given, namespace);
    let info: Info | undefined;
    try {
      const { externalStorage } = dataConverter;
      const start = externalStorage === undefined ? given : await retrieveStart(externalStorage, given);
      if (externalStorage === undefined) refuseReferencesOfStart(start);
      info = await activityInfo(start, namespace, taskQueue, dataConverter, context);
      const fn = activities.get(start.activityType) ?? activities.get('default');
      if (fn === undefined) {
        throw ApplicationFailure.create({
          type: 'NotFoundError',
          message: `Activity function ${start.activityType} is not registered on this Worker, available activities: ${JSON.stringify([...activities.keys()])}`,
          nonRetryable: false,
        });
      }
      const types = isActivityFunctionWithOptions(fn) ? fn.activityDefinitionOptions.typeInfo : undefined;
      let args: unknown[];
      try {
        args = await decodeArrayFromPayloads(dataConverter, start.input, context, types?.inputTypes);
      } catch (error) {
        throw ApplicationFailure.fromError(error, {
          message: `Failed to parse activity args for activity ${start.activityType}: ${errorMessage(error)}`,
          nonRetryable: false,
        });
      }
      const activity = new Activity({
        info,
        fn,
        dataConverter,
        serializationContext: context,
        outputType: types?.outputType,
        heartbeat,
        client: this.options.client(),
        logger,
        metricMeter: this.options.metricMeter,
        interceptors: this.options.interceptors,
        transactions: this.options.transactions && { ...this.options.transactions, start, namespace },
      });
      const input: ActivityExecuteInput = { args, headers: start.headers };
      return { activity, run: async () => this.stored(await activity.run(input), start, activity.info) };
    } catch (error) {
      const failure = ensureApplicationFailure(error);
      logger.error(`Error while processing ActivityTask.start: ${errorMessage(failure)}`, {
        ...(info === undefined ? {} : activityLogAttributes(info)),
        error,
        activityType: given.activityType,
      });
      return { status: 'failed', failure: await encodeErrorToFailure(dataConverter, failure, context) };
    }
  }

  async encodeHeartbeat(start: ActivityStart, details: unknown): Promise<temporal.api.common.v1.IPayload[]> {
    const { dataConverter, namespace } = this.options;
    const payload = await encodeToPayload(dataConverter, details, serializationContext(start, namespace));
    const { externalStorage } = dataConverter;
    if (externalStorage === undefined) return [payload];
    return storePayloads(externalStorage, [payload], targetOfActivity(start, namespace));
  }

  /** A result that cannot be stored fails the attempt, which is tried again. */
  private async stored(result: ActivityResult, start: ActivityStart, info: Info): Promise<ActivityResult> {
    const { dataConverter, namespace, logger } = this.options;
    const { externalStorage } = dataConverter;
    if (externalStorage === undefined) return result;
    try {
      return await storeResult(externalStorage, result, targetOfActivity(start, namespace));
    } catch (error) {
      const failure = ensureApplicationFailure(error);
      logger.error(`Error while offloading ActivityTask result to external storage: ${errorMessage(failure)}`, {
        ...activityLogAttributes(info),
        error,
      });
      return { status: 'failed', failure: await encodeErrorToFailure(dataConverter, failure) };
    }
  }
}
