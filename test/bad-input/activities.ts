/** Activities that give what cannot be kept. */
import { ApplicationFailure, heartbeat, sleep } from '@temporalio/activity';

const tooLarge = (): string => 'x'.repeat(3 * 1024 * 1024);

export const badActivities = () => ({
  take: (value: unknown): Promise<unknown> => Promise.resolve(value),
  large: (): Promise<unknown> => Promise.resolve(tooLarge()),
  failLarge(): Promise<unknown> {
    return Promise.reject(ApplicationFailure.nonRetryable('large', 'Large', tooLarge()));
  },
  async heartbeatLarge(): Promise<unknown> {
    heartbeat(tooLarge());
    await sleep('10s');
    return 'never';
  },
  bigint: (): Promise<unknown> => Promise.resolve(1n),
  circular(): Promise<unknown> {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    return Promise.resolve(circular);
  },
});
