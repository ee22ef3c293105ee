/** Workflows that are given, or make, bad input. */
import {
  ApplicationFailure,
  condition,
  createNexusServiceClient,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  makeContinueAsNewFunc,
  proxyActivities,
  proxyLocalActivities,
  scheduleActivity,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { operation, service } from 'nexus-rpc';
import type { badActivities } from './activities';

type Activities = ReturnType<typeof badActivities> & { missing(): Promise<void> };
const once = { startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } } as const;
const activities = proxyActivities<Activities>(once);
const local = proxyLocalActivities<Activities>(once);
const retried = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '50ms', backoffCoefficient: 1 },
});

const tooLarge = (): string => 'x'.repeat(3 * 1024 * 1024);

const nexusService = service('doubling', { double: operation<number, number>() });

/** Comes to one end per `what`. */
export async function makes(what: string): Promise<unknown> {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  switch (what) {
    case 'an activity that nobody has':
      return activities.missing();
    case 'a local activity that nobody has':
      return local.missing();
    case 'a large result':
      return tooLarge();
    case 'a large activity result':
      return activities.large();
    case 'a large local activity result':
      return local.large();
    case 'a large activity failure':
      return activities.failLarge();
    case 'a large heartbeat':
      return activities.heartbeatLarge();
    case 'a large activity argument':
      return activities.take(tooLarge());
    case 'a large child argument':
      return executeChild(makes, { args: [tooLarge()] });
    case 'a large failure':
      throw ApplicationFailure.nonRetryable('large', 'Large', tooLarge());
    case 'a large memo':
      upsertMemo({ large: tooLarge() });
      return sleep(1);
    case 'a large next run':
      return makeContinueAsNewFunc<typeof makes>({})(tooLarge());
    case 'a bigint result':
      return 1n;
    case 'a circular result':
      return circular;
    case 'a bigint argument':
      return activities.take(1n);
    case 'a bigint activity result':
      return activities.bigint();
    case 'a circular activity result':
      return activities.circular();
    case 'an unknown search attribute':
      upsertSearchAttributes({ Nobody: ['x'] });
      return sleep(1);
    case 'a search attribute of the wrong type':
      upsertSearchAttributes({ Amount: ['x'] });
      return sleep(1);
    case 'an activity without a timeout':
      return scheduleActivity('take', [1], {});
    case 'an activity with a negative timeout':
      return scheduleActivity('take', [1], { startToCloseTimeout: -5 });
    case 'an activity with a bad retry policy':
      return scheduleActivity('take', [1], { startToCloseTimeout: 1, retry: { backoffCoefficient: 0.5 } });
    case 'a child with a long id':
      return executeChild(makes, { workflowId: 'x'.repeat(1001), args: ['nothing'] });
    case 'a child with a bad cron schedule':
      return executeChild(makes, { args: ['nothing'], cronSchedule: 'whenever' });
    case 'a Nexus operation':
      return createNexusServiceClient({ endpoint: 'e', service: nexusService }).executeOperation('double', 1);
    default:
      return what;
  }
}

/** Waits for its signal and answers one query and one update. */
export async function open(): Promise<unknown> {
  let value: unknown;
  const answer = (what: string): unknown => (what === 'bigint' ? 1n : what === 'large' ? tooLarge() : what);
  setHandler(defineQuery<unknown, [string]>('ask'), answer);
  setHandler(defineUpdate<unknown, [string]>('change'), answer);
  setHandler(defineSignal<[unknown]>('go'), (given) => void (value = given));
  await condition(() => value !== undefined);
  return value;
}

/** Until the activity is there. */
export async function insists(): Promise<string> {
  return (await retried.take('there at last')) as string;
}

/** Activities before and after the database goes away. */
export async function steps(count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += (await retried.take(1)) as number;
    await sleep(20);
  }
  return sum;
}
