import { Client } from 'pg';

const PAUSE_MS = 30;

/**
 * Undefined once a Postgres accepts connections at that URL, else why not.
 * @param until Date.now() at which to give up
 * @param ended tells that its process is gone: there is nothing to wait for
 */
export async function postgresReady(
  url: string,
  until: number,
  ended: () => boolean = () => false,
): Promise<string | undefined> {
  let last = 'no answer';
  while (Date.now() < until) {
    if (ended()) return 'it ended';
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return undefined;
    } catch (error) {
      last = (error as Error).message;
    } finally {
      await client.end().catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return last;
}
