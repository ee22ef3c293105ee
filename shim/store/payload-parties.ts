/** Who takes part in the check of payloads, in Postgres. See payload-types.ts for the contract of each call. */
import type { Connections } from './connections';
import type { PayloadParty, PayloadPartyStore } from './payload-types';
import { payloadParties } from './sql/payload-parties';
import { prepareStatements } from './statement';
import type { Notice } from './types';

interface PartyRecord extends Omit<PayloadParty, 'taskQueue'> {
  task_queue: string;
}

/** Who has not shown itself for that long is gone, ms: several times what lies between two looks. */
const LIVE_MS = 60_000;

export class PostgresPayloadParties implements PayloadPartyStore {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
    private readonly tell: (notice: Notice) => void,
  ) {
    this.sql = statements(schema, prepared);
  }

  async show(parties: PayloadParty[], tell: boolean): Promise<void> {
    const rows = parties.map(({ taskQueue, ...rest }) => ({ ...rest, task_queue: taskQueue }));
    const shown = await this.connections.query<{ fresh: boolean }>(this.sql.show, [JSON.stringify(rows)]);
    if (tell || shown.some(({ fresh }) => fresh)) this.tell({ kind: 'payloads' });
  }

  async live(): Promise<PayloadParty[]> {
    const rows = await this.connections.query<PartyRecord>(this.sql.live, [LIVE_MS]);
    return rows.map(({ task_queue, ...rest }) => ({ ...rest, taskQueue: task_queue }));
  }

  async leave(ids: string[]): Promise<void> {
    await this.connections.query(this.sql.leave, [ids]);
    this.tell({ kind: 'payloads' });
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'payload_parties', payloadParties(`"${schema}"`), prepared);
