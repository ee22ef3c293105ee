-- The story of these tables
-- =========================
-- Branchline runs Temporal workflows on these tables. Words are Temporal's: a workflow *id* is what the caller chose, a *run* is one
-- execution of it, an *event history* is everything that ever happened to a run.
--
-- Starting a workflow writes three rows in one transaction: `executions` (who it is: one row per run for as long as it is retained, what list
-- and describe read), `runs` (where it stands: the mutable state as JSON, only while the run is open or still owes something to others), and
-- `history` (what happened: one row per commit, a JSON array of events as `temporal workflow show --output json` prints them).
-- Each later step updates the `runs` row and appends to `history`. At the close the `executions` row gets its status and `runs` loses its row.
--
-- Any process may change any run. It decides in memory and commits with a fence: the `version` it read must still be there (`commit_batch`).
-- `runs.owner` is the process that serves the run's work from memory; `runs.due_at` is when somebody must look at it at the latest.
-- `processes` holds a lease per process. When a lease runs out, `reap_processes` frees what the dead process had: its runs and its tasks.
-- `flushes` remembers the last batch that each process committed, so that an answer lost on the network never leaves its fate open.
--
-- Work usually stays in the process that made it. What has to leave becomes a row of `tasks`: claimed by a process, and deleted in the
-- commit that starts it. `heartbeats` keeps the last heartbeat of running activities, `signal_requests` the ids of signals already taken,
-- `local_results` what transactions of local activities have committed.
-- What SQL and transactions of application code ask for is written down here and done by the next process: a started run whose state is still the request
-- (a seed, `{"seed": …}`), and in `inbox` what is meant for open runs. The functions are in 0002_sql_surface.sql.
-- `schedules` holds what is to be started when, and where each schedule stands (JSON, with a version like a run's); `schedule_slots` what
-- became of each of its times, for reading.
-- `worker_deployments` holds versions of workers, and which of them gets which runs (JSON, with a version like a run's).
-- `batch_jobs` and `batch_items` are commands on many workflows, with how far they have come.
-- `fence` and `restore_decisions` are what keeps a restored database from repeating effects unknowingly.
-- `task_queue_configs` and `task_queue_limits` say how fast and how much at once task queues may work; `task_queue_rates` and `limited_activities`
-- keep count, where there is a limit.
-- `route_versions`, `routed_ids`, `payload_parties`, `load_guard` and `load_events` are the router's, for applications that run on a Temporal server as well.
-- `stand_ins` are runs that stand for a child on another engine, `schedule_moves` says which engine starts which times of a schedule that was handed over between them.
-- `queries` and `notices` carry questions and wake-ups between processes and survive nothing, hence unlogged.
-- `namespaces` and `search_attributes` are Temporal's. `workflows`, `history_events`, `pending_activities`, `pending_timers`, `schedule_history`
-- and `patched_runs` are views to read.
--
-- :"schema" stands for the quoted name of the schema; shim/store/migrate.ts puts it in.

SET LOCAL search_path TO :"schema", pg_temp;

CREATE TABLE namespaces (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uuid uuid NOT NULL UNIQUE,
  name text COLLATE "C" NOT NULL UNIQUE,
  description text NOT NULL,
  owner_email text NOT NULL,
  retention_ms bigint NOT NULL CHECK (retention_ms >= 0),
  -- temporal.api.enums.v1.NamespaceState
  state smallint NOT NULL CHECK (state BETWEEN 0 AND 3),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  data jsonb NOT NULL
);

-- Every database has it, as every Temporal development server does; closed runs are kept for 72 h.
INSERT INTO namespaces (uuid, name, description, owner_email, retention_ms, state, data)
VALUES (gen_random_uuid(), 'default', 'Default namespace', '', 72 * 3600000, 1, '{}');

CREATE TABLE search_attributes (
  namespace_id integer NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  -- temporal.api.enums.v1.IndexedValueType
  type smallint NOT NULL CHECK (type BETWEEN 1 AND 7),
  PRIMARY KEY (namespace_id, name)
);

CREATE TABLE executions (
  run_id uuid PRIMARY KEY,
  namespace_id integer NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  first_run_id uuid NOT NULL,
  -- Of a run made by a reset: the run whose history it goes on with
  base_run_id uuid,
  workflow_type text COLLATE "C" NOT NULL,
  task_queue text COLLATE "C" NOT NULL,
  -- temporal.api.enums.v1.WorkflowExecutionStatus; 1 = running
  status smallint NOT NULL CHECK (status BETWEEN 1 AND 7),
  start_request_id text NOT NULL,
  start_time timestamptz NOT NULL,
  -- start_time plus the first workflow task's backoff (start delay, cron)
  execution_time timestamptz NOT NULL,
  close_time timestamptz,
  history_length bigint NOT NULL,
  history_size_bytes bigint NOT NULL,
  state_transitions bigint NOT NULL,
  parent_workflow_id text COLLATE "C",
  parent_run_id uuid,
  -- Null: the run is its own root, as most are
  root_workflow_id text COLLATE "C",
  root_run_id uuid,
  -- Payloads by key, exact; null = none
  memo json,
  -- Values by name, for filters; null = none
  search_attributes jsonb,
  -- The same as payloads, exact
  search_attribute_payloads json,
  -- The build id of the first worker, if it is not among the search attributes. Null also while the row has not been written since: an open run's
  -- state has it as well.
  build_id text,
  CONSTRAINT closed_runs_have_a_close_time CHECK ((status = 1) = (close_time IS NULL)),
  CONSTRAINT parent_is_whole CHECK ((parent_workflow_id IS NULL) = (parent_run_id IS NULL)),
  CONSTRAINT root_is_whole CHECK ((root_workflow_id IS NULL) = (root_run_id IS NULL))
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX executions_one_open_run ON executions (namespace_id, workflow_id) WHERE status = 1;
CREATE INDEX executions_by_workflow_id ON executions (namespace_id, workflow_id, start_time DESC);
-- The order of list, backwards, and of retention, forwards: open runs first, then newest close, newest start. New entries then come at the end of the index: inserted at
-- its beginning they split its pages in half.
CREATE INDEX executions_in_list_order ON executions
  (namespace_id, coalesce(close_time, 'infinity'::timestamptz), start_time, run_id DESC);
-- For lists of one type, however rare. Closed runs only: the open ones are found together in the order of list, and an entry at the start would double its
-- cost, which is 74 bytes of WAL per run.
CREATE INDEX executions_by_type ON executions
  (namespace_id, workflow_type, coalesce(close_time, 'infinity'::timestamptz)) WHERE close_time IS NOT NULL;
-- For lists of what failed, was canceled, terminated, timed out or continued as new; costs runs that complete nothing.
CREATE INDEX executions_not_completed ON executions
  (namespace_id, coalesce(close_time, 'infinity'::timestamptz), start_time, run_id DESC, status) WHERE status > 2;
-- For lists of what started long ago, which has closed long ago too but for these; costs shorter runs nothing.
CREATE INDEX executions_over_an_hour ON executions
  (namespace_id, coalesce(close_time, 'infinity'::timestamptz), start_time, run_id DESC) WHERE close_time - start_time > interval '1 hour';
CREATE INDEX executions_by_base_run ON executions (base_run_id) WHERE base_run_id IS NOT NULL;
CREATE INDEX executions_by_search_attributes ON executions
  USING gin (search_attributes jsonb_path_ops) WHERE search_attributes IS NOT NULL;

CREATE TABLE runs (
  run_id uuid PRIMARY KEY,
  namespace_id integer NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  owner uuid,
  due_at timestamptz,
  state json NOT NULL,
  -- True = nothing is done in it until an operator resumes it (docs/restore.md)
  held boolean
) WITH (
  -- Room for new versions on the same page (HOT updates); vacuum keeps up with a small, hot table.
  fillfactor = 45,
  toast_tuple_target = 128,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500,
  autovacuum_analyze_scale_factor = 0.2,
  autovacuum_vacuum_cost_delay = 1
);
-- Compressed, and in the row itself while it fits in a page.
ALTER TABLE runs ALTER COLUMN state SET STORAGE MAIN;
CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE history (
  run_id uuid NOT NULL,
  first_event_id integer NOT NULL CHECK (first_event_id > 0),
  last_event_id integer NOT NULL,
  events json NOT NULL,
  PRIMARY KEY (run_id, first_event_id),
  CONSTRAINT events_are_there CHECK (last_event_id >= first_event_id)
) WITH (toast_tuple_target = 128, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE history ALTER COLUMN events SET STORAGE MAIN;

CREATE TABLE tasks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('activity', 'workflow')),
  run_id uuid NOT NULL,
  scheduled_event_id integer NOT NULL,
  attempt integer NOT NULL,
  -- 1 to 5, first to last
  priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 5),
  -- Keys of one level share the queue by their weights
  fairness_key text COLLATE "C" NOT NULL,
  fairness_weight real NOT NULL CHECK (fairness_weight > 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  claimed_by uuid,
  -- Number of the claim in that process, so that a claim whose answer was lost is found again
  claim bigint,
  CONSTRAINT claims_are_whole CHECK ((claimed_by IS NULL) = (claim IS NULL))
) WITH (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 1
);
CREATE INDEX tasks_waiting ON tasks (namespace_id, queue, kind, priority, fairness_key, id) WHERE claimed_by IS NULL;
CREATE INDEX tasks_claimed ON tasks (claimed_by, claim) WHERE claimed_by IS NOT NULL;
CREATE INDEX tasks_of_run ON tasks (run_id);

CREATE TABLE heartbeats (
  run_id uuid NOT NULL,
  scheduled_event_id integer NOT NULL,
  attempt integer NOT NULL,
  at timestamptz NOT NULL,
  details json,
  PRIMARY KEY (run_id, scheduled_event_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

-- Results of local activities that wrote in a transaction: the marker in the history is made of them. Also rows that prove the commit of a transaction
-- that wrote no events. They go with the history.
CREATE TABLE local_results (
  run_id uuid NOT NULL,
  activity_id text COLLATE "C" NOT NULL,
  -- temporal.api.common.v1.Payload
  result json NOT NULL,
  PRIMARY KEY (run_id, activity_id)
);

CREATE TABLE signal_requests (
  run_id uuid NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, request_id)
);

-- What callers' transactions have for open runs. A row goes in the commit that writes its event; until then the run cannot close (`commit_batch`).
CREATE TABLE inbox (
  run_id uuid NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('cancel', 'signal', 'terminate', 'update')),
  -- Of an update its id
  request_id text COLLATE "C" NOT NULL,
  -- The request of the RPC, as proto JSON with lower-camel names
  request json NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- It cannot be done any more (the limit of signals, or of updates, of a run)
  error text,
  PRIMARY KEY (run_id, seq),
  UNIQUE (run_id, kind, request_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE TABLE processes (
  id uuid PRIMARY KEY,
  identity text NOT NULL,
  started_at timestamptz NOT NULL,
  lease_until timestamptz NOT NULL,
  -- Hears LISTEN; otherwise it polls `notices`
  listens boolean NOT NULL,
  -- The queues it polls: [{namespaceId, queue, kind, identity, lastPollMs}]
  pollers json NOT NULL,
  -- A test environment whose clock runs ahead of Postgres's: no other process may join it
  skips_time boolean NOT NULL,
  -- Its login may delete what has expired, in all namespaces: one of these does
  expires boolean NOT NULL,
  -- It knows that the fence is up, and gives out no work
  at_fence boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

CREATE TABLE flushes (
  process_id uuid PRIMARY KEY,
  batch bigint NOT NULL,
  -- Of a batch in which not all groups were committed: as `commit_batch` returns them
  verdicts smallint[]
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Schedules

CREATE TABLE schedules (
  namespace_id integer NOT NULL,
  schedule_id text COLLATE "C" NOT NULL,
  -- Another one for each schedule of an id
  uuid uuid NOT NULL UNIQUE,
  version bigint NOT NULL CHECK (version > 0),
  create_request_id text NOT NULL,
  created_at timestamptz NOT NULL,
  -- When somebody must look at it; null = only when it is called
  due_at timestamptz,
  -- Values by name, for filters
  search_attributes jsonb NOT NULL,
  state json NOT NULL,
  PRIMARY KEY (namespace_id, schedule_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE INDEX schedules_due ON schedules (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX schedules_in_list_order ON schedules (namespace_id, created_at DESC, schedule_id);

-- The newest thousand of each schedule
CREATE TABLE schedule_slots (
  schedule_uuid uuid NOT NULL,
  slot bigint NOT NULL CHECK (slot > 0),
  -- As the spec says, without jitter; of the first, where a row stands for several
  nominal_time timestamptz NOT NULL,
  -- 1000 = or more
  slots integer NOT NULL CHECK (slots BETWEEN 1 AND 1000),
  -- Triggered or backfilled
  manual boolean NOT NULL,
  reason text COLLATE "C" NOT NULL CHECK (reason IN (
    'buffer full', 'buffered', 'fired', 'missed catch-up window', 'no actions left', 'overlap skipped', 'paused', 'start failed')),
  workflow_id text COLLATE "C",
  first_run_id uuid,
  message text,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (schedule_uuid, slot)
);

-- Worker deployments

CREATE TABLE worker_deployments (
  namespace_id integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  state json NOT NULL,
  PRIMARY KEY (namespace_id, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50);

CREATE UNLOGGED TABLE queries (
  id text COLLATE "C" PRIMARY KEY,
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  workflow_id text NOT NULL,
  run_id text NOT NULL,
  query json NOT NULL,
  posted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  claimed_by uuid,
  answer json
);
CREATE INDEX queries_waiting ON queries (namespace_id, queue) WHERE claimed_by IS NULL;

CREATE UNLOGGED TABLE notices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sender uuid NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  notice text NOT NULL
);
CREATE INDEX notices_by_time ON notices (sent_at);

-- Task queues: how they are configured, and what limits them.

CREATE TABLE task_queue_configs (
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('activity', 'workflow')),
  version bigint NOT NULL CHECK (version > 0),
  -- temporal.api.taskqueue.v1.TaskQueueConfig
  config json NOT NULL,
  PRIMARY KEY (namespace_id, queue, kind)
);

-- Of activities, by fairness key. It may be written to by hand: processes read it every 30 s.
CREATE TABLE task_queue_limits (
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  -- '*' = each key that has no row of its own
  fairness_key text COLLATE "C" NOT NULL,
  max_concurrent integer CHECK (max_concurrent >= 0),
  max_per_second double precision CHECK (max_per_second >= 0),
  PRIMARY KEY (namespace_id, queue, fairness_key)
);

-- When the next start is allowed. A crash of Postgres empties it: the rates then begin anew.
CREATE UNLOGGED TABLE task_queue_rates (
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  -- Sixty-five stars = the whole queue: no key is that long
  fairness_key text COLLATE "C" NOT NULL,
  ready_at timestamptz NOT NULL,
  PRIMARY KEY (namespace_id, queue, fairness_key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Attempts that have a place, of fairness keys with a limit on concurrency. Whoever started one takes its row away when it has ended; if that
-- did not happen, `admit_activity` finds that it has.
CREATE TABLE limited_activities (
  run_id uuid NOT NULL,
  scheduled_event_id integer NOT NULL,
  attempt integer NOT NULL,
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  fairness_key text COLLATE "C" NOT NULL,
  -- The process that will start it
  process_id uuid NOT NULL,
  admitted_at timestamptz NOT NULL,
  PRIMARY KEY (run_id, scheduled_event_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX limited_activities_by_key ON limited_activities (namespace_id, queue, fairness_key);

-- Takes up to `wanted` starts of a limit per second: as many as a bucket holds that fills at that rate, up to one second's worth.
CREATE FUNCTION take_starts(
  namespace integer, task_queue text, key text, per_second double precision, wanted integer,
  OUT granted integer, OUT wait_ms double precision
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  step constant interval := make_interval(secs => 1 / per_second);
  ready timestamptz;
  now_at timestamptz;
BEGIN
  INSERT INTO task_queue_rates VALUES (namespace, task_queue, key, '-infinity') ON CONFLICT DO NOTHING;
  SELECT r.ready_at INTO ready FROM task_queue_rates r
  WHERE r.namespace_id = namespace AND r.queue = task_queue AND r.fairness_key = key FOR NO KEY UPDATE;
  now_at := clock_timestamp();
  -- Not more than a second's worth saved up, nor owed from a time when the limit was lower.
  ready := least(greatest(ready, now_at - (greatest(per_second, 1) - 1) * step), now_at + step);
  granted := least(wanted, greatest(0, floor(extract(epoch FROM now_at - ready)::double precision * per_second + 0.000001)::integer + 1));
  IF ready > now_at THEN
    granted := 0;
  END IF;
  ready := ready + granted * step;
  UPDATE task_queue_rates r SET ready_at = ready
  WHERE r.namespace_id = namespace AND r.queue = task_queue AND r.fairness_key = key;
  wait_ms := greatest(0, extract(epoch FROM ready - now_at)::double precision * 1000);
END
$$;

-- Gives an attempt one of the places of its fairness key. Places whose attempt does not run any more are free; those taken in the last seconds
-- are left alone, as the commit that schedules the attempt may still be on its way.
CREATE FUNCTION admit_activity(
  namespace integer, task_queue text, key text, most integer, process uuid, run uuid, event integer, attempt_number integer
) RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(namespace || ':' || task_queue || ':' || key, 3));
  UPDATE limited_activities l SET attempt = attempt_number, process_id = process, admitted_at = clock_timestamp()
  WHERE l.run_id = run AND l.scheduled_event_id = event AND l.namespace_id = namespace AND l.queue = task_queue AND l.fairness_key = key;
  IF FOUND THEN
    RETURN true;
  END IF;
  IF (SELECT count(*) FROM limited_activities l WHERE l.namespace_id = namespace AND l.queue = task_queue AND l.fairness_key = key) >= most THEN
    DELETE FROM limited_activities l
    WHERE l.namespace_id = namespace AND l.queue = task_queue AND l.fairness_key = key
      AND l.admitted_at < clock_timestamp() - interval '5 seconds'
      AND NOT EXISTS (
        SELECT FROM runs r CROSS JOIN LATERAL (SELECT r.state -> 'activities' -> l.scheduled_event_id::text AS a) x
        WHERE r.run_id = l.run_id AND coalesce((x.a ->> 'attempt')::integer, 1) = l.attempt AND x.a IS NOT NULL
          AND (coalesce((x.a ->> 'startedAtMs')::double precision, 0) > 0
            OR NOT (coalesce((x.a ->> 'backingOff')::boolean, false) OR coalesce((x.a ->> 'paused')::boolean, false))));
    IF (SELECT count(*) FROM limited_activities l WHERE l.namespace_id = namespace AND l.queue = task_queue AND l.fairness_key = key) >= most THEN
      RETURN false;
    END IF;
  END IF;
  INSERT INTO limited_activities VALUES (run, event, attempt_number, namespace, task_queue, key, process, clock_timestamp())
  ON CONFLICT (run_id, scheduled_event_id) DO UPDATE SET
    attempt = excluded.attempt, namespace_id = excluded.namespace_id, queue = excluded.queue, fairness_key = excluded.fairness_key,
    process_id = excluded.process_id, admitted_at = excluded.admitted_at;
  RETURN true;
END
$$;

-- Batch operations: one command on many workflows.
--
-- A job first lists what it is for into `batch_items`, page by page; then each item is done and its row goes, or keeps the error. `owner` is the
-- process that works on the job; when that has no lease any more another one goes on. Doing an item twice does no harm: whatever counts
-- carries a request id made of job and run.
CREATE TABLE batch_jobs (
  namespace_id integer NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  -- temporal.api.enums.v1.BatchOperationState: 1 running, 2 completed, 3 failed or stopped
  state smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
  -- temporal.api.enums.v1.BatchOperationType
  type smallint NOT NULL,
  operation json NOT NULL,
  -- What it is for: a list filter, or '' when the items were named
  query text NOT NULL,
  reason text NOT NULL,
  identity text NOT NULL,
  operations_per_second double precision NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  -- Where the listing goes on; `listed` when it has come to its end
  page_token bytea,
  listed boolean NOT NULL,
  total integer NOT NULL DEFAULT 0,
  completed integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  owner uuid,
  PRIMARY KEY (namespace_id, job_id),
  CONSTRAINT closed_jobs_have_a_close_time CHECK ((state = 1) = (closed_at IS NULL))
);
-- One at a time in a namespace, as Temporal has it.
CREATE UNIQUE INDEX batch_jobs_running ON batch_jobs (namespace_id) WHERE state = 1;

CREATE TABLE batch_items (
  namespace_id integer NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  position integer NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  -- '' = the current run
  run_id text NOT NULL,
  error text,
  PRIMARY KEY (namespace_id, job_id, position),
  FOREIGN KEY (namespace_id, job_id) REFERENCES batch_jobs ON DELETE CASCADE
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Point-in-time restore: the fence (docs/restore.md).
--
-- Postgres begins a new timeline when it is restored to a moment, and when a standby is promoted; a copy in another cluster has another system identifier. `led_on` is where
-- processes have worked last. Each new connection of a process compares it with where it is (`meet_timeline`): elsewhere the fence goes up, and no process gives out work until
-- an operator has decided on the runs that were in flight and takes it down.
CREATE TABLE fence (
  -- One row
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- System identifier and timeline, as `current_timeline` has them; null = no process has worked yet
  led_on text,
  -- What a new timeline of the same cluster means: a restore (fence) or a failover (continue)
  on_new_timeline text NOT NULL DEFAULT 'fence' CHECK (on_new_timeline IN ('continue', 'fence')),
  -- Null = it is down
  raised_at timestamptz,
  reason text,
  -- The moment to which the database was restored, as well as it can be told; null = not by a restore
  restored_to timestamptz,
  released_at timestamptz,
  released_by text,
  CONSTRAINT raised_for_a_reason CHECK ((raised_at IS NULL) = (reason IS NULL))
);
INSERT INTO fence DEFAULT VALUES;

-- What is to become of runs when the fence goes down.
CREATE TABLE restore_decisions (
  run_id uuid PRIMARY KEY,
  decision text COLLATE "C" NOT NULL CHECK (decision IN ('cancel', 'hold', 'resume')),
  decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  decided_by text NOT NULL
);

-- Null on a standby, and where a provider does not tell: new timelines are then not noticed.
CREATE FUNCTION current_timeline() RETURNS text
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  RETURN (SELECT c.system_identifier FROM pg_control_system() AS c) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported OR object_not_in_prerequisite_state THEN
  RETURN NULL;
END
$$;

-- Every process renews its lease at once, and learns how the fence stands.
CREATE FUNCTION tell_of_fence() RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  message constant text := json_build_object('from', nobody, 'hello', true, 'notices', json_build_array())::text;
BEGIN
  PERFORM pg_notify('branchline ' || current_schema(), message);
  INSERT INTO notices (sender, notice) SELECT nobody, message
  WHERE EXISTS (SELECT FROM processes p WHERE NOT p.listens AND p.lease_until > clock_timestamp());
END
$$;

-- False: it is up already. Runs that an earlier restore left held stay so unless something else is decided.
CREATE FUNCTION raise_fence(why text, restored timestamptz DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  UPDATE fence SET raised_at = clock_timestamp(), reason = why, restored_to = restored WHERE raised_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM restore_decisions;
  INSERT INTO restore_decisions (run_id, decision, decided_by) SELECT r.run_id, 'hold', 'the restore before' FROM runs r WHERE r.held;
  PERFORM tell_of_fence();
  RETURN true;
END
$$;

-- For each new connection of a process, and with each renewal of a lease: where this is, and how the fence stands.
-- With the rights of the owner: any process may be the first that finds a new timeline, and no other right lets it touch the fence.
CREATE FUNCTION meet_timeline(OUT timeline text, OUT fenced boolean)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  known fence;
BEGIN
  timeline := current_timeline();
  SELECT * INTO known FROM fence;
  fenced := known.raised_at IS NOT NULL;
  IF timeline IS NULL OR timeline IS NOT DISTINCT FROM known.led_on THEN
    RETURN;
  END IF;
  -- Of several that come at once one decides.
  SELECT * INTO known FROM fence FOR NO KEY UPDATE;
  IF timeline IS DISTINCT FROM known.led_on THEN
    IF known.led_on IS NOT NULL
      AND (known.on_new_timeline = 'fence' OR split_part(known.led_on, '/', 1) <> split_part(timeline, '/', 1)) THEN
      -- The last transaction that was replayed; after a restart nobody knows it, and the last lease tells it to some seconds.
      PERFORM raise_fence(
        format('the database is on timeline %s, and processes last worked on %s', timeline, known.led_on),
        coalesce(pg_last_xact_replay_timestamp(),
          (SELECT max(p.lease_until) - interval '6 seconds' FROM processes p WHERE isfinite(p.lease_until)), clock_timestamp()));
    END IF;
    UPDATE fence SET led_on = timeline;
  END IF;
  SELECT f.raised_at IS NOT NULL INTO fenced FROM fence f;
END
$$;

-- The router: on which engine a new workflow starts, and which engine has an id.
--
-- Routes are never changed: each change is a new version with who and why, so that this table is the audit log as well. An id belongs to one engine
-- at a time. A start first writes down that it begins (`starting`), on the engine that has the id, or on the one that the routes say when none has.
-- An id moves to another engine only while no other start of it is under way, and only when its last run there is closed.
CREATE TABLE route_versions (
  version integer PRIMARY KEY CHECK (version > 0),
  routes json NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_by text NOT NULL,
  reason text NOT NULL,
  -- The version that this one brought back
  restores integer CHECK (restores > 0 AND restores < version)
);

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  RAISE EXCEPTION '%.% is only ever added to', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

CREATE TRIGGER route_versions_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON route_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE routed_ids (
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('schedule', 'workflow')),
  id text COLLATE "C" NOT NULL,
  engine text NOT NULL,
  -- Moves with each start that begins
  version bigint NOT NULL DEFAULT 1,
  -- Some start is known to be done, or the other engines were asked
  settled boolean NOT NULL DEFAULT false,
  -- Starts under way: process/number
  starting text[] NOT NULL,
  -- Engines that had it before, newest last
  past text[] NOT NULL DEFAULT '{}',
  -- When the last start began, or when somebody last looked whether the engine still knows it
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (namespace, kind, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX routed_ids_starting ON routed_ids (changed_at) WHERE starting <> '{}';
CREATE INDEX routed_ids_by_age ON routed_ids (changed_at);

-- The check of payloads: workers and clients of applications on several engines show what their data converters make of a fixed value, read each other's,
-- and write down whom they cannot read. Nothing starts on an engine whose workers do not understand the others.
CREATE TABLE payload_parties (
  id uuid PRIMARY KEY,
  -- null = a client, for all engines and task queues
  engine text,
  namespace text COLLATE "C" NOT NULL,
  task_queue text COLLATE "C" NOT NULL,
  identity text NOT NULL,
  -- Payloads, memo, heartbeat and failure as protobuf messages, base64
  canary json NOT NULL,
  -- [{"id": whose canary it cannot read, "why": …}]
  unreadable json NOT NULL,
  -- Who has not been seen for a minute is gone
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- The load guard: one process at a time looks at this Postgres, holds what it sees against the budgets of the routes, and writes down whether new starts of
-- movable types go elsewhere. All processes read it. Each turn is an event that stays.
CREATE TABLE load_guard (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  sampler uuid NOT NULL,
  lease_until timestamptz NOT NULL,
  phase text NOT NULL DEFAULT 'calm' CHECK (phase IN ('calm', 'diverting', 'easing', 'pressed')),
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  load json NOT NULL DEFAULT '{}',
  reasons json NOT NULL DEFAULT '[]',
  sampled_at timestamptz
) WITH (fillfactor = 50);

CREATE TABLE load_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  mode text NOT NULL,
  diverting boolean NOT NULL,
  reasons json NOT NULL,
  load json NOT NULL
);

CREATE TRIGGER load_events_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON load_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Moves of schedules between engines. A row is kept: for each time of a schedule it is the claim of the engine that starts it
-- (of the newest move whose cut_at is before that time `to_engine`; of the first move up to its cut_at `from_engine`).
CREATE TABLE schedule_moves (
  id uuid PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  schedule_id text COLLATE "C" NOT NULL,
  from_engine text NOT NULL,
  to_engine text NOT NULL CHECK (to_engine <> from_engine),
  step text NOT NULL CHECK (step IN ('begun', 'ready', 'cutting', 'cut', 'drained', 'active', 'filled', 'done', 'undone')),
  -- Times up to this one are started by from_engine, later ones by to_engine; null = not decided yet
  cut_at timestamptz CHECK (cut_at IS NOT NULL OR step IN ('begun', 'ready', 'cutting', 'undone')),
  -- What the mover knows
  state json NOT NULL,
  -- Who works on it, and until when it is nobody else's
  held_by text NOT NULL,
  held_until timestamptz NOT NULL,
  moved_by text NOT NULL,
  reason text NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX schedule_moves_open ON schedule_moves (namespace, schedule_id) WHERE step NOT IN ('done', 'undone');
CREATE INDEX schedule_moves_of_schedule ON schedule_moves (namespace, schedule_id, begun_at);

-- Runs that stand for a child on another engine, as long as either is open: whoever sees that one was terminated ends what it stood for.
CREATE TABLE stand_ins (
  run_id uuid PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  engine text NOT NULL,
  started_on text NOT NULL,
  -- null = not known yet
  started_run_id uuid,
  looked_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX stand_ins_by_look ON stand_ins (looked_at);

-- One batch of commits: groups of run commits, each group all or nothing, in one call and one transaction.
--
-- Answers one verdict per group: 0 committed; 1 conflict (another version is there); 2 the workflow id is taken; 3 somebody holds a lock on
-- a row of it right now, nothing was written, try again; 4 the inbox has something for a run that the group closes, or has lost what it takes from there. It waits for nobody's run: rows that others hold are skipped.
-- Arrays beginning with c_ have one element per run commit (expected version 0 makes the run, state null ends its row); the others refer to
-- commits by position (at, from 1). c_busy: work is under way, so that the due time will move again soon. c_workflow, c_reuse and c_request are null but for commits that make a run. changes_runs: a run that exists keeps a state; ends_runs: some state is null.
-- It names the schema everywhere instead of setting search_path, which would cost a tenth of a millisecond per call.
-- The planner settings keep its plans at index look-ups whatever the statistics say: with 2,000 rows in `runs` a generic plan
-- took a hash join over the table for each single-row batch, four times the CPU.
CREATE FUNCTION commit_batch(
  process uuid, batch_number bigint, lease_ms integer, group_count integer, changes_runs boolean, ends_runs boolean,
  c_group integer[], c_run uuid[], c_expected bigint[], c_owner uuid[], c_due double precision[], c_busy boolean[], c_state json[],
  c_namespace integer[], c_workflow text[], c_reuse smallint[], c_request text[],
  h_at integer[], h_first integer[], h_last integer[], h_events json[],
  new_executions json, changed_executions json, new_tasks json,
  d_at integer[], d_task bigint[],
  s_at integer[], s_request text[],
  a_at integer[], a_event integer[],
  closes integer[], m_at integer[], m_seq bigint[],
  OUT verdicts smallint[], OUT now_ms double precision
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
  started constant timestamptz := clock_timestamp();
  -- Per commit: its own verdict, then its group's.
  verdict smallint[] := array_fill(1::smallint, ARRAY[cardinality(c_run)]);
  group_verdict smallint[] := array_fill(0::smallint, ARRAY[group_count]);
  -- Statements that would find nothing are left out: each costs some 15 µs, and a batch of one run has few rows.
  makes_runs constant boolean := 0 = ANY (c_expected);
  lease timestamptz;
  i integer;
BEGIN
  -- The fence against a second copy of this batch: a lost connection's batch may still be running when we ask after it. Batch 0 is part of a
  -- transaction of application code, whose own fate tells that of the batch.
  IF batch_number > 0 THEN
    IF pg_advisory_xact_lock(hashtextextended(process::text, 1)) IS NULL THEN
      RETURN;
    END IF;
    UPDATE :"schema".flushes f SET batch = batch_number, verdicts = NULL WHERE f.process_id = process AND f.batch = batch_number - 1
    RETURNING (SELECT p.lease_until FROM :"schema".processes p WHERE p.id = process) INTO lease;
    IF NOT FOUND THEN
      INSERT INTO :"schema".flushes VALUES (process, batch_number, NULL) ON CONFLICT DO NOTHING;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % of process % was given up', batch_number, process USING ERRCODE = 'BL001';
      END IF;
    END IF;
  END IF;
  -- Runs are handed to a process that lives, or the reaper would never find them.
  IF lease IS NULL THEN
    SELECT p.lease_until INTO lease FROM :"schema".processes p WHERE p.id = process;
  END IF;
  IF batch_number = 0 AND (lease IS NULL OR lease < started) THEN
    -- Not renewed here: the row would stay locked until the caller commits.
    RAISE EXCEPTION 'process % lost its lease', process USING ERRCODE = 'BL002';
  ELSIF batch_number > 0 AND (lease IS NULL OR lease < started + make_interval(secs => lease_ms / 3000.0)) THEN
    INSERT INTO :"schema".processes VALUES (process, '', started, started + make_interval(secs => lease_ms / 1000.0), false, '[]', false, false)
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until;
  END IF;

  IF cardinality(array_remove(c_expected, 0)) > cardinality(closes) THEN
    FOR i IN
      SELECT c.n FROM unnest(c_run, c_expected) WITH ORDINALITY AS c(run, expected, n)
        JOIN :"schema".runs r ON r.run_id = c.run AND r.version = c.expected
      WHERE c.expected > 0 AND NOT c.n = ANY (closes)
      FOR NO KEY UPDATE OF r SKIP LOCKED
    LOOP
      verdict[i] := 0;
    END LOOP;
  END IF;
  IF cardinality(closes) > 0 THEN
    FOR i IN
      SELECT k.at FROM unnest(closes) AS k(at) JOIN :"schema".runs r ON r.run_id = c_run[k.at] AND r.version = c_expected[k.at]
      FOR UPDATE OF r SKIP LOCKED
    LOOP
      verdict[i] := 0;
    END LOOP;
    -- A statement of its own: it must see what those who held the row before have committed.
    FOR i IN
      SELECT k.at FROM unnest(closes) AS k(at)
      WHERE verdict[k.at] = 0 AND EXISTS (
        SELECT FROM :"schema".inbox m WHERE m.run_id = c_run[k.at] AND m.error IS NULL AND NOT m.seq = ANY (m_seq))
    LOOP
      verdict[i] := 4;
    END LOOP;
  END IF;
  IF cardinality(m_seq) > 0 THEN
    FOR i IN
      SELECT m.at FROM unnest(m_at, m_seq) AS m(at, seq)
      WHERE NOT EXISTS (SELECT FROM :"schema".inbox x WHERE x.run_id = c_run[m.at] AND x.seq = m.seq)
    LOOP
      IF verdict[i] = 0 THEN
        verdict[i] := 4;
      END IF;
    END LOOP;
  END IF;
  -- A lock per new workflow id. Starters meet here and not at the unique index, where a caller's open transaction would make them wait.
  IF makes_runs THEN
    FOR i IN 1 .. cardinality(c_group) LOOP
      IF c_expected[i] = 0 THEN
        verdict[i] := 0;
        IF NOT pg_try_advisory_xact_lock(hashtextextended(c_namespace[i] || ':' || c_workflow[i], 2)) THEN
          verdict[i] := 3;
        END IF;
      END IF;
    END LOOP;
    -- A statement of its own: it must see what the last holder of the lock committed. Runs that the same group closes are no obstacle.
    FOR i IN
      SELECT c.n
      FROM unnest(c_group, c_expected, c_namespace, c_workflow, c_reuse, c_request) WITH ORDINALITY
        AS c(grp, expected, namespace, workflow, reuse, request, n)
      WHERE c.expected = 0 AND (
        EXISTS (
          SELECT FROM :"schema".executions e
          WHERE e.namespace_id = c.namespace AND e.workflow_id = c.workflow AND e.status = 1
            AND c_group[array_position(c_run, e.run_id)] IS DISTINCT FROM c.grp
        ) OR EXISTS (
          SELECT FROM (
            SELECT e.status, e.start_request_id FROM :"schema".executions e
            WHERE e.namespace_id = c.namespace AND e.workflow_id = c.workflow
              AND c_group[array_position(c_run, e.run_id)] IS DISTINCT FROM c.grp
            ORDER BY e.start_time DESC LIMIT 1
          ) newest
          WHERE newest.start_request_id = c.request OR c.reuse = 2 OR (c.reuse = 1 AND newest.status IN (2, 6))
        )
      )
    LOOP
      IF verdict[i] = 0 THEN
        verdict[i] := 2;
      END IF;
    END LOOP;
  END IF;

  IF 0 <> ANY (verdict) THEN
    -- What could not be locked though its version is right is in somebody's hands.
    FOR i IN
      SELECT c.n FROM unnest(c_run, c_expected, verdict) WITH ORDINALITY AS c(run, expected, verdict, n)
        JOIN :"schema".runs r ON r.run_id = c.run AND r.version = c.expected
      WHERE c.verdict = 1
    LOOP
      verdict[i] := 3;
    END LOOP;
    FOR i IN 1 .. cardinality(c_group) LOOP
      group_verdict[c_group[i]] := greatest(group_verdict[c_group[i]], verdict[i]);
    END LOOP;
    IF batch_number > 0 THEN
      UPDATE :"schema".flushes f SET verdicts = group_verdict WHERE f.process_id = process;
    END IF;
    FOR i IN 1 .. cardinality(c_group) LOOP
      verdict[i] := group_verdict[c_group[i]];
    END LOOP;
    IF NOT 0 = ANY (group_verdict) THEN
      verdicts := group_verdict;
      now_ms := extract(epoch FROM clock_timestamp())::double precision * 1000;
      RETURN;
    END IF;
  END IF;

  -- While a run is busy an earlier due time that still lies ahead stays, and one 10 s ahead is written from the start: each activity and
  -- workflow task would otherwise move it, and with it an entry of an index. That costs one look too many at runs that are busy for longer.
  IF changes_runs THEN
    UPDATE :"schema".runs r SET
      version = c.expected + 1,
      owner = c.owner,
      due_at = CASE
        WHEN c.busy AND r.due_at > started AND (c.due = 0 OR r.due_at <= to_timestamp(c.due / 1000)) THEN r.due_at
        WHEN c.due = 0 THEN NULL
        ELSE to_timestamp(c.due / 1000)
      END,
      state = c.state
    FROM unnest(c_run, c_expected, c_owner, c_due, c_busy, c_state, verdict) AS c(run, expected, owner, due, busy, state, verdict)
    WHERE r.run_id = c.run AND c.verdict = 0 AND c.expected > 0 AND c.state IS NOT NULL;
  END IF;

  IF ends_runs THEN
    WITH ended AS MATERIALIZED (
      SELECT c.run FROM unnest(c_run, c_expected, c_state, verdict) AS c(run, expected, state, verdict)
      WHERE c.verdict = 0 AND c.expected > 0 AND c.state IS NULL
    ), without_tasks AS (
      DELETE FROM :"schema".tasks t USING ended e WHERE t.run_id = e.run
    ), without_heartbeats AS (
      DELETE FROM :"schema".heartbeats b USING ended e WHERE b.run_id = e.run
    ), without_signal_requests AS (
      DELETE FROM :"schema".signal_requests s USING ended e WHERE s.run_id = e.run
    )
    DELETE FROM :"schema".runs r USING ended e WHERE r.run_id = e.run;
  END IF;

  IF makes_runs THEN
    INSERT INTO :"schema".runs (run_id, namespace_id, version, owner, due_at, state)
    SELECT c.run, c.namespace, 1, c.owner,
      least(CASE WHEN c.due > 0 THEN to_timestamp(c.due / 1000) END, CASE WHEN c.busy THEN started + interval '10 seconds' END), c.state
    FROM unnest(c_run, c_expected, c_owner, c_due, c_busy, c_state, c_namespace, verdict)
      AS c(run, expected, owner, due, busy, state, namespace, verdict)
    WHERE c.verdict = 0 AND c.expected = 0 AND c.state IS NOT NULL;
  END IF;

  -- Closes go before starts: a group may do both to one workflow id.
  IF changed_executions IS NOT NULL THEN
    UPDATE :"schema".executions e SET
      status = x.status,
      close_time = CASE WHEN x."closeMs" > 0 THEN to_timestamp(x."closeMs" / 1000) END,
      history_length = x."historyLength",
      history_size_bytes = x."historySizeBytes",
      state_transitions = x."stateTransitions",
      memo = x.memo,
      search_attributes = x."searchAttributes",
      search_attribute_payloads = x."searchAttributePayloads",
      build_id = x."buildId"
    FROM json_to_recordset(changed_executions) AS x(
      at integer, status smallint, "closeMs" double precision, "historyLength" bigint, "historySizeBytes" bigint, "stateTransitions" bigint,
      memo json, "searchAttributes" jsonb, "searchAttributePayloads" json, "buildId" text)
    WHERE e.run_id = c_run[x.at] AND verdict[x.at] = 0;
  END IF;
  IF new_executions IS NOT NULL THEN
    INSERT INTO :"schema".executions (
      run_id, namespace_id, workflow_id, first_run_id, base_run_id, workflow_type, task_queue, status, start_request_id, start_time, execution_time, close_time,
      history_length, history_size_bytes, state_transitions, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id,
      memo, search_attributes, search_attribute_payloads, build_id)
    SELECT
      c_run[x.at], x."namespaceId", x."workflowId", x."firstRunId", x."baseRunId", x."workflowType", x."taskQueue", x.status, x."startRequestId",
      to_timestamp(x."startMs" / 1000), to_timestamp(x."executionMs" / 1000), CASE WHEN x."closeMs" > 0 THEN to_timestamp(x."closeMs" / 1000) END,
      x."historyLength", x."historySizeBytes", x."stateTransitions",
      x."parentWorkflowId", x."parentRunId", x."rootWorkflowId", x."rootRunId",
      x.memo, x."searchAttributes", x."searchAttributePayloads", x."buildId"
    FROM json_to_recordset(new_executions) AS x(
      at integer, "namespaceId" integer, "workflowId" text, "firstRunId" uuid, "baseRunId" uuid, "workflowType" text, "taskQueue" text, status smallint,
      "startRequestId" text, "startMs" double precision, "executionMs" double precision, "closeMs" double precision,
      "historyLength" bigint, "historySizeBytes" bigint, "stateTransitions" bigint,
      "parentWorkflowId" text, "parentRunId" uuid, "rootWorkflowId" text, "rootRunId" uuid,
      memo json, "searchAttributes" jsonb, "searchAttributePayloads" json, "buildId" text)
    WHERE verdict[x.at] = 0;
  END IF;

  -- After the rows of `executions`, which tell policies whose it is.
  IF cardinality(h_at) > 0 THEN
    INSERT INTO :"schema".history (run_id, first_event_id, last_event_id, events)
    SELECT c_run[h.at], h.first, h.last, h.events
    FROM unnest(h_at, h_first, h_last, h_events) AS h(at, first, last, events)
    WHERE verdict[h.at] = 0;
  END IF;

  IF cardinality(d_at) > 0 THEN
    DELETE FROM :"schema".tasks t USING unnest(d_at, d_task) AS d(at, task) WHERE t.id = d.task AND verdict[d.at] = 0;
  END IF;
  IF new_tasks IS NOT NULL THEN
    INSERT INTO :"schema".tasks (namespace_id, queue, kind, run_id, scheduled_event_id, attempt, priority, fairness_key, fairness_weight)
    SELECT t."namespaceId", t.queue, t.kind, t."runId", t."scheduledEventId", t.attempt, t.priority, coalesce(t."fairnessKey", ''), coalesce(t.weight, 1)
    FROM json_to_recordset(new_tasks) AS t(
      at integer, "namespaceId" integer, queue text, kind text, "runId" uuid, "scheduledEventId" integer, attempt integer, priority smallint,
      "fairnessKey" text, weight real)
    WHERE verdict[t.at] = 0;
  END IF;
  IF cardinality(s_at) > 0 THEN
    INSERT INTO :"schema".signal_requests (run_id, request_id)
    SELECT c_run[s.at], s.request FROM unnest(s_at, s_request) AS s(at, request)
    WHERE verdict[s.at] = 0 AND c_state[s.at] IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF cardinality(m_at) > 0 THEN
    DELETE FROM :"schema".inbox x USING unnest(m_at, m_seq) AS m(at, seq)
    WHERE x.run_id = c_run[m.at] AND x.seq = m.seq AND verdict[m.at] = 0;
  END IF;
  IF cardinality(a_at) > 0 THEN
    DELETE FROM :"schema".heartbeats b USING unnest(a_at, a_event) AS a(at, event)
    WHERE b.run_id = c_run[a.at] AND b.scheduled_event_id = a.event AND verdict[a.at] = 0;
  END IF;

  verdicts := group_verdict;
  now_ms := extract(epoch FROM clock_timestamp())::double precision * 1000;
END
$$;

-- What became of a batch whose answer was lost: waits until no copy of it can still be running, and gives it up if it was not committed.
-- `committed` is null when nobody can tell any more (the process was reaped meanwhile).
CREATE FUNCTION settle_batch(process uuid, batch_number bigint, OUT committed boolean, OUT verdicts smallint[])
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  last_batch bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(process::text, 1));
  SELECT f.batch, f.verdicts INTO last_batch, verdicts FROM flushes f WHERE f.process_id = process;
  IF last_batch IS NULL THEN
    committed := CASE WHEN batch_number = 1 THEN false END;
  ELSE
    committed := last_batch = batch_number;
  END IF;
  IF committed IS DISTINCT FROM true THEN
    verdicts := NULL;
    INSERT INTO flushes VALUES (process, batch_number, NULL) ON CONFLICT (process_id) DO UPDATE SET batch = excluded.batch;
  END IF;
END
$$;

-- Frees what dead processes had: tasks go back to their queues; runs lose their owner and, where more than timers is pending, are due at once.
-- Works in portions; true = nothing is left to do. Rows that somebody holds are left for the next call, and with them the process's own row.
-- With the rights of the owner: what a process had may lie in namespaces that its finder does not see. It takes nothing that lives.
CREATE FUNCTION reap_processes(portion integer) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  dead uuid[];
  freed integer;
BEGIN
  -- While the fence is up nobody takes over anything.
  IF (SELECT f.raised_at IS NOT NULL FROM fence f) THEN
    RETURN true;
  END IF;
  SELECT array_agg(d.id) INTO dead
  FROM (SELECT p.id FROM processes p WHERE p.lease_until < clock_timestamp() FOR UPDATE SKIP LOCKED) d;
  IF dead IS NULL THEN
    RETURN true;
  END IF;
  UPDATE queries q SET claimed_by = NULL WHERE q.claimed_by = ANY (dead) AND q.answer IS NULL;
  UPDATE tasks t SET claimed_by = NULL, claim = NULL
  FROM (SELECT w.id FROM tasks w WHERE w.claimed_by = ANY (dead) FOR NO KEY UPDATE SKIP LOCKED) held
  WHERE t.id = held.id;
  UPDATE runs r SET owner = NULL,
    due_at = CASE
      WHEN r.state ->> 'workflowTask' IS NULL
        AND coalesce(r.state ->> 'activities', '{}') = '{}' AND coalesce(r.state ->> 'children', '{}') = '{}'
        AND coalesce(r.state ->> 'externals', '{}') = '{}' AND coalesce(r.state ->> 'updates', '{}') = '{}'
        AND coalesce(r.state ->> 'obligations', '[]') = '[]'
      THEN r.due_at
      ELSE least(r.due_at, clock_timestamp())
    END
  FROM (SELECT w.run_id FROM runs w WHERE w.owner = ANY (dead) LIMIT portion FOR NO KEY UPDATE SKIP LOCKED) held
  WHERE r.run_id = held.run_id;
  GET DIAGNOSTICS freed = ROW_COUNT;
  IF EXISTS (SELECT FROM runs r WHERE r.owner = ANY (dead)) OR EXISTS (SELECT FROM tasks t WHERE t.claimed_by = ANY (dead)) THEN
    RETURN freed < portion;
  END IF;
  DELETE FROM flushes f WHERE f.process_id = ANY (dead);
  DELETE FROM processes p WHERE p.id = ANY (dead);
  RETURN true;
END
$$;

-- Removes every trace of a run.
CREATE FUNCTION delete_execution(run uuid) RETURNS void
LANGUAGE sql
SET search_path FROM CURRENT
AS $$
  DELETE FROM runs WHERE run_id = run;
  DELETE FROM tasks WHERE run_id = run;
  DELETE FROM heartbeats WHERE run_id = run;
  DELETE FROM signal_requests WHERE run_id = run;
  DELETE FROM inbox WHERE run_id = run;
  DELETE FROM local_results WHERE run_id = run;
  DELETE FROM history WHERE run_id = run;
  DELETE FROM executions WHERE run_id = run;
$$;

-- Retention: removes closed runs of a namespace whose close time lies in [after, before), oldest first: at most `most_runs`, and not many more
-- events than `most_events`. Runs that still owe something to others stay. Answers how many went and the close time of the last one, where the next
-- call may go on: a scan from the beginning would walk over all that was deleted while a long-running reader keeps vacuum from cleaning up.
-- One process at a time: the others are answered null.
CREATE FUNCTION delete_expired(
  namespace integer, after timestamptz, before timestamptz, most_runs integer, most_events bigint,
  OUT deleted integer, OUT last_close timestamptz
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
  expired uuid[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('retention', 'executions'::regclass::oid::bigint)) THEN
    RETURN;
  END IF;
  SELECT array_agg(x.run_id), max(x.closed) INTO expired, last_close
  FROM (
    SELECT w.run_id, w.closed, sum(w.history_length) OVER (ORDER BY w.closed, w.run_id) - w.history_length AS events_before
    FROM (
      SELECT e.run_id, e.history_length, coalesce(e.close_time, 'infinity'::timestamptz) AS closed
      FROM executions e
      WHERE e.namespace_id = namespace
        AND coalesce(e.close_time, 'infinity'::timestamptz) >= after AND coalesce(e.close_time, 'infinity'::timestamptz) < before
        AND NOT EXISTS (SELECT FROM runs r WHERE r.run_id = e.run_id)
      ORDER BY coalesce(e.close_time, 'infinity'::timestamptz), e.start_time, e.run_id DESC
      LIMIT most_runs FOR UPDATE OF e SKIP LOCKED
    ) w
  ) x
  WHERE x.events_before < most_events;
  deleted := coalesce(cardinality(expired), 0);
  IF deleted > 0 THEN
    DELETE FROM signal_requests s WHERE s.run_id = ANY (expired);
    DELETE FROM inbox m WHERE m.run_id = ANY (expired);
    DELETE FROM local_results l WHERE l.run_id = ANY (expired);
    DELETE FROM history h WHERE h.run_id = ANY (expired);
    DELETE FROM executions e WHERE e.run_id = ANY (expired);
  END IF;
END
$$;

-- Stored JSON for reading: payloads of encoding json/plain as the JSON they hold, other texts as texts.
CREATE FUNCTION readable(stored jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
BEGIN
  CASE jsonb_typeof(stored)
    WHEN 'array' THEN
      RETURN (SELECT coalesce(jsonb_agg(readable(a.element) ORDER BY a.n), '[]') FROM jsonb_array_elements(stored) WITH ORDINALITY AS a(element, n));
    WHEN 'object' THEN
      IF coalesce(stored ->> 'encoding', stored ->> '$payload') LIKE 'json/%' AND jsonb_typeof(stored -> 'text') = 'string' THEN
        BEGIN
          RETURN (stored ->> 'text')::jsonb;
        EXCEPTION WHEN data_exception OR statement_too_complex THEN
          RETURN stored -> 'text';
        END;
      ELSIF coalesce(stored ->> 'encoding', stored ->> '$payload') = 'binary/null' THEN
        RETURN 'null';
      END IF;
      RETURN (SELECT coalesce(jsonb_object_agg(o.key, readable(o.value)), '{}') FROM jsonb_each(stored) AS o);
    ELSE
      RETURN stored;
  END CASE;
END
$$;

CREATE FUNCTION readable(stored json) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT
AS $$ SELECT readable(stored::jsonb) $$;

-- This one and patch_ids are inlined into plans, which a search_path of their own would forbid: they name where everything is.
CREATE FUNCTION ms_to_timestamp(ms double precision) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT CASE WHEN ms OPERATOR(pg_catalog.>) 0 THEN pg_catalog.to_timestamp(ms OPERATOR(pg_catalog./) 1000) END $$;

CREATE VIEW workflows AS
SELECT
  n.name AS namespace, e.workflow_id, e.run_id, e.workflow_type, e.task_queue,
  (ARRAY['Running', 'Completed', 'Failed', 'Canceled', 'Terminated', 'ContinuedAsNew', 'TimedOut'])[e.status] AS status,
  e.start_time, e.execution_time, e.close_time, coalesce(e.close_time, clock_timestamp()) - e.execution_time AS duration,
  coalesce((r.state ->> 'nextEventId')::bigint - 1, e.history_length) AS history_length,
  readable(e.memo) AS memo, e.search_attributes,
  e.parent_workflow_id, e.parent_run_id,
  coalesce(e.root_workflow_id, e.workflow_id) AS root_workflow_id, coalesce(e.root_run_id, e.run_id) AS root_run_id, e.first_run_id,
  r.owner AS process_id, r.due_at
FROM executions e JOIN namespaces n ON n.id = e.namespace_id LEFT JOIN runs r ON r.run_id = e.run_id;

CREATE VIEW history_events AS
SELECT
  n.name AS namespace, e.workflow_id, h.run_id,
  (ev.event ->> 'eventId')::bigint AS event_id, (ev.event ->> 'eventTime')::timestamptz AS event_time,
  replace(initcap(replace(substr(ev.event ->> 'eventType', 12), '_', ' ')), ' ', '') AS event_type,
  (SELECT readable(a.value) FROM json_each(ev.event) AS a WHERE a.key LIKE '%EventAttributes') AS attributes
FROM history h
  JOIN executions e ON e.run_id = h.run_id
  JOIN namespaces n ON n.id = e.namespace_id
  CROSS JOIN LATERAL json_array_elements(h.events) AS ev(event);

CREATE VIEW pending_activities AS
SELECT
  r.state ->> 'namespace' AS namespace, r.state ->> 'workflowId' AS workflow_id, r.run_id,
  a.value ->> 'activityId' AS activity_id, a.value ->> 'activityType' AS activity_type, a.value ->> 'taskQueue' AS task_queue,
  CASE
    WHEN (a.value ->> 'paused')::boolean THEN 'Paused'
    WHEN (a.value ->> 'startedAtMs')::double precision > 0
      THEN CASE WHEN (a.value ->> 'cancelRequested')::boolean THEN 'CancelRequested' ELSE 'Started' END
    WHEN (a.value ->> 'backingOff')::boolean THEN 'BackingOff'
    ELSE 'Scheduled'
  END AS state,
  coalesce((a.value ->> 'attempt')::integer, 1) AS attempt,
  ms_to_timestamp((a.value ->> 'scheduledAtMs')::double precision) AS scheduled_at,
  ms_to_timestamp((a.value ->> 'startedAtMs')::double precision) AS started_at,
  b.at AS last_heartbeat_at, readable(b.details) AS heartbeat_details,
  a.value -> 'lastFailure' ->> 'message' AS last_failure, a.value ->> 'lastWorkerIdentity' AS last_worker
FROM runs r
  CROSS JOIN LATERAL json_each(r.state -> 'activities') AS a
  LEFT JOIN heartbeats b ON b.run_id = r.run_id AND b.scheduled_event_id = (a.value ->> 'scheduledEventId')::integer;

CREATE VIEW pending_timers AS
SELECT
  r.state ->> 'namespace' AS namespace, r.state ->> 'workflowId' AS workflow_id, r.run_id,
  t.value ->> 'timerId' AS timer_id, ms_to_timestamp((t.value ->> 'fireAtMs')::double precision) AS fires_at
FROM runs r CROSS JOIN LATERAL json_each(r.state -> 'timers') AS t;

CREATE VIEW schedule_history AS
SELECT
  n.name AS namespace, s.schedule_id, o.slot, o.nominal_time, o.slots, o.manual, o.reason, o.workflow_id, o.first_run_id, o.message, o.decided_at
FROM schedule_slots o JOIN schedules s ON s.uuid = o.schedule_uuid JOIN namespaces n ON n.id = s.namespace_id;

-- Patches: what `patched()` and `deprecatePatch()` left behind (docs/versioning.md). The search attribute tells which runs have any.
CREATE FUNCTION patch_ids(search_attributes jsonb) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT pg_catalog.jsonb_array_elements_text(CASE
    WHEN pg_catalog.jsonb_typeof(search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion') OPERATOR(pg_catalog.=) 'array'
      THEN search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion'
    WHEN pg_catalog.jsonb_typeof(search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion') OPERATOR(pg_catalog.=) 'string'
      THEN pg_catalog.jsonb_build_array(search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion')
    ELSE '[]' END)
$$;

-- `deprecated`: the run passed `deprecatePatch`, not `patched`.
CREATE VIEW patched_runs AS
SELECT
  w.namespace, w.workflow_id, w.run_id, w.workflow_type, w.status, w.start_time, p.patch_id,
  (SELECT (m.attributes #>> '{details,patch-data,payloads,0,deprecated}')::boolean FROM history_events m
    WHERE m.run_id = w.run_id AND m.event_type = 'MarkerRecorded' AND m.attributes ->> 'markerName' = 'core_patch'
      AND m.attributes #>> '{details,patch-data,payloads,0,id}' = p.patch_id
    ORDER BY m.event_id LIMIT 1) AS deprecated
FROM workflows w CROSS JOIN LATERAL patch_ids(w.search_attributes) AS p(patch_id)
WHERE w.search_attributes IS NOT NULL;

-- Open runs of a type that have not passed the patch: those that went the old way, and those that have not come to it yet.
CREATE FUNCTION runs_without_patch(namespace_name text, type_name text, patch text)
RETURNS TABLE (workflow_id text, run_id uuid, start_time timestamptz)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
  SELECT e.workflow_id, e.run_id, e.start_time
  FROM executions e JOIN namespaces n ON n.id = e.namespace_id
  WHERE n.name = namespace_name AND e.workflow_type = type_name AND e.status = 1
    AND NOT EXISTS (SELECT FROM patch_ids(e.search_attributes) AS p(patch_id) WHERE p.patch_id = patch)
  ORDER BY e.start_time
$$;
