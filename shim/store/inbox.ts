/** What transactions of callers leave for the runs, in Postgres. See types.ts for the contract of each call. */
import proto from '@temporalio/proto';
import type { Root } from 'protobufjs';
import type { Status } from '../service/engine/types';
import type { Connections } from './connections';
import { compileProtoJson, type ProtoJsonCodec } from './proto-json';
import { isRunId } from './rows';
import { newScheduleValues } from './schedules';
import { inbox } from './sql/inbox';
import { prepareStatements } from './statement';
import type {
  Admission,
  AdmittedStart,
  CallerConnection,
  InboxMessage,
  InboxStore,
  MessageToAdmit,
  NewSchedule,
  Seed,
  StartToAdmit,
} from './types';

const requestTypes = {
  start: 'StartWorkflowExecutionRequest',
  signal: 'SignalWorkflowExecutionRequest',
  cancel: 'RequestCancelWorkflowExecutionRequest',
  terminate: 'TerminateWorkflowExecutionRequest',
  update: 'UpdateWorkflowExecutionRequest',
} as const;

const codecs = new Map<string, ProtoJsonCodec<object>>();

function codec(kind: keyof typeof requestTypes): ProtoJsonCodec<object> {
  let known = codecs.get(kind);
  if (known === undefined) {
    const root = proto as unknown as Root;
    known = compileProtoJson<object>(root.lookupType(`temporal.api.workflowservice.v1.${requestTypes[kind]}`));
    codecs.set(kind, known);
  }
  return known;
}

/** The state of a run that `admit_start` has made. */
export function seedFromJson(json: string, runId: string): Seed {
  const { seed } = JSON.parse(json) as { seed: { startedAtMs: number; request: object } };
  const { startedAtMs, request } = seed;
  return { runId, startedAtMs, request: codec('start').decode(request) as Seed['request'] };
}

const reuseCodes = { allowDuplicate: 0, allowDuplicateFailedOnly: 1, rejectDuplicate: 2 } as const;

export class PostgresInbox implements InboxStore {
  private readonly sql: ReturnType<typeof statements>;
  private readonly texts: ReturnType<typeof inbox>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
  ) {
    this.sql = statements(schema, prepared);
    this.texts = inbox(`"${schema}"`);
  }

  async start(client: CallerConnection, start: StartToAdmit): Promise<AdmittedStart> {
    const { namespaceId, request, reuse, useExisting, backoffMs } = start;
    const values = [namespaceId, codec('start').encode(request), reuseCodes[reuse], useExisting, backoffMs];
    const { rows } = await client.query(this.texts.start, values);
    const row = rows[0] as {
      admission: Admission;
      run: string;
      first_run: string;
      run_status: Status;
      request_id: string;
    };
    return {
      admission: row.admission,
      runId: row.run,
      firstRunId: row.first_run,
      status: row.run_status,
      startRequestId: row.request_id,
    };
  }

  async send(client: CallerConnection, message: MessageToAdmit): Promise<{ admission: Admission; runId: string }> {
    const { namespaceId, workflowId, runId, firstRunId, kind, requestId, request } = message;
    const { rows } = await client.query(this.texts.send, [
      namespaceId,
      workflowId,
      runId || null,
      firstRunId || null,
      kind,
      requestId,
      codec(kind).encode(request),
    ]);
    const { admission, run } = rows[0] as { admission: Admission; run: string | null };
    return { admission, runId: run ?? '' };
  }

  async createSchedule(client: CallerConnection, schedule: NewSchedule): Promise<'created' | 'taken'> {
    const { rows } = await client.query(this.texts.createSchedule, newScheduleValues(schedule));
    return (rows[0] as { admission: string }).admission === 'taken' ? 'taken' : 'created';
  }

  async of(runId: string): Promise<InboxMessage[]> {
    if (!isRunId(runId)) return [];
    const rows = await this.connections.query<{
      seq: string;
      kind: InboxMessage['kind'];
      request_id: string;
      request: string;
    }>(this.sql.ofRun, [runId]);
    return rows.map(({ seq, kind, request_id: requestId, request }) => ({
      seq,
      kind,
      requestId,
      request: codec(kind).decode(JSON.parse(request)) as object,
    }));
  }

  async waiting(limit: number): Promise<string[]> {
    const rows = await this.connections.query<{ run_id: string }>(this.sql.waiting, [limit]);
    return rows.map(({ run_id: runId }) => runId);
  }

  async find(runId: string, kind: InboxMessage['kind'], requestId: string): Promise<{ error: string | null } | null> {
    const [row] = await this.connections.query<{ error: string | null }>(this.sql.find, [runId, kind, requestId]);
    return row ?? null;
  }

  async drop(runId: string, seq: string): Promise<void> {
    await this.connections.query(this.sql.drop, [runId, seq]);
  }

  async fail(runId: string, seq: string, error: string): Promise<void> {
    await this.connections.query(this.sql.fail, [runId, seq, error]);
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'inbox', inbox(`"${schema}"`), prepared);
