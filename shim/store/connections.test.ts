import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import { expect, it } from 'vitest';
import { Connections } from './connections';

it("hears a server's last words that come with the answer to the connection attempt", async () => {
  const client = Object.assign(new EventEmitter(), {
    released: undefined as Error | undefined,
    query: () => Promise.resolve({ rows: [] }),
    release: (broken?: Error) => void (client.released = broken),
  });
  const pool = Object.assign(new EventEmitter(), {
    options: { host: 'here' },
    connect(done: (error: undefined, connected: typeof client) => void) {
      done(undefined, client);
      // node-pg reads both messages from one packet; an 'error' that nobody hears ends the process.
      client.emit('error', new Error('terminating connection due to unexpected postmaster exit'));
    },
  });
  const connections = new Connections({ pool: pool as unknown as Pool });
  await connections.queryOnce({ name: 'any', text: 'SELECT' }, []);
  expect(client.released?.message).toMatch('terminating connection');
});
