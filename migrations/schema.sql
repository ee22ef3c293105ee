-- Made by scripts/dump-schema.ts from the migrations. Read migrations/0001_foundation.sql for the story of these tables.

CREATE TABLE branchline.batch_items (
  namespace_id integer NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  position integer NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  run_id text NOT NULL,
  error text,
  CONSTRAINT batch_items_pkey PRIMARY KEY (namespace_id, job_id, "position"),
  CONSTRAINT batch_items_namespace_id_job_id_fkey FOREIGN KEY (namespace_id, job_id) REFERENCES branchline.batch_jobs(namespace_id, job_id) ON DELETE CASCADE
) WITH (autovacuum_vacuum_scale_factor=0.05);

CREATE TABLE branchline.batch_jobs (
  namespace_id integer NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  state smallint DEFAULT 1 NOT NULL,
  type smallint NOT NULL,
  operation json NOT NULL,
  query text NOT NULL,
  reason text NOT NULL,
  identity text NOT NULL,
  operations_per_second double precision NOT NULL,
  started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  closed_at timestamp with time zone,
  page_token bytea,
  listed boolean NOT NULL,
  total integer DEFAULT 0 NOT NULL,
  completed integer DEFAULT 0 NOT NULL,
  failed integer DEFAULT 0 NOT NULL,
  owner uuid,
  CONSTRAINT batch_jobs_pkey PRIMARY KEY (namespace_id, job_id),
  CONSTRAINT batch_jobs_state_check CHECK (((state >= 1) AND (state <= 3))),
  CONSTRAINT closed_jobs_have_a_close_time CHECK (((state = 1) = (closed_at IS NULL)))
);

CREATE UNIQUE INDEX batch_jobs_running ON branchline.batch_jobs USING btree (namespace_id) WHERE (state = 1);

CREATE TABLE branchline.executions (
  run_id uuid NOT NULL,
  namespace_id integer NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  first_run_id uuid NOT NULL,
  base_run_id uuid,
  workflow_type text COLLATE "C" NOT NULL,
  task_queue text COLLATE "C" NOT NULL,
  status smallint NOT NULL,
  start_request_id text NOT NULL,
  start_time timestamp with time zone NOT NULL,
  execution_time timestamp with time zone NOT NULL,
  close_time timestamp with time zone,
  history_length bigint NOT NULL,
  history_size_bytes bigint NOT NULL,
  state_transitions bigint NOT NULL,
  parent_workflow_id text COLLATE "C",
  parent_run_id uuid,
  root_workflow_id text COLLATE "C",
  root_run_id uuid,
  memo json,
  search_attributes jsonb,
  search_attribute_payloads json,
  build_id text,
  CONSTRAINT executions_pkey PRIMARY KEY (run_id),
  CONSTRAINT closed_runs_have_a_close_time CHECK (((status = 1) = (close_time IS NULL))),
  CONSTRAINT executions_status_check CHECK (((status >= 1) AND (status <= 7))),
  CONSTRAINT parent_is_whole CHECK (((parent_workflow_id IS NULL) = (parent_run_id IS NULL))),
  CONSTRAINT root_is_whole CHECK (((root_workflow_id IS NULL) = (root_run_id IS NULL)))
) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);

CREATE INDEX executions_by_base_run ON branchline.executions USING btree (base_run_id) WHERE (base_run_id IS NOT NULL);

CREATE INDEX executions_by_search_attributes ON branchline.executions USING gin (search_attributes jsonb_path_ops) WHERE (search_attributes IS NOT NULL);

CREATE INDEX executions_by_type ON branchline.executions USING btree (namespace_id, workflow_type, COALESCE(close_time, 'infinity'::timestamp with time zone)) WHERE (close_time IS NOT NULL);

CREATE INDEX executions_by_workflow_id ON branchline.executions USING btree (namespace_id, workflow_id, start_time DESC);

CREATE INDEX executions_in_list_order ON branchline.executions USING btree (namespace_id, COALESCE(close_time, 'infinity'::timestamp with time zone), start_time, run_id DESC);

CREATE INDEX executions_not_completed ON branchline.executions USING btree (namespace_id, COALESCE(close_time, 'infinity'::timestamp with time zone), start_time, run_id DESC, status) WHERE (status > 2);

CREATE UNIQUE INDEX executions_one_open_run ON branchline.executions USING btree (namespace_id, workflow_id) WHERE (status = 1);

CREATE INDEX executions_over_an_hour ON branchline.executions USING btree (namespace_id, COALESCE(close_time, 'infinity'::timestamp with time zone), start_time, run_id DESC) WHERE ((close_time - start_time) > '01:00:00'::interval);

CREATE TABLE branchline.fence (
  only_row boolean DEFAULT true NOT NULL,
  led_on text,
  on_new_timeline text DEFAULT 'fence'::text NOT NULL,
  raised_at timestamp with time zone,
  reason text,
  restored_to timestamp with time zone,
  released_at timestamp with time zone,
  released_by text,
  CONSTRAINT fence_pkey PRIMARY KEY (only_row),
  CONSTRAINT fence_on_new_timeline_check CHECK ((on_new_timeline = ANY (ARRAY['continue'::text, 'fence'::text]))),
  CONSTRAINT fence_only_row_check CHECK (only_row),
  CONSTRAINT raised_for_a_reason CHECK (((raised_at IS NULL) = (reason IS NULL)))
);

CREATE TABLE branchline.flushes (
  process_id uuid NOT NULL,
  batch bigint NOT NULL,
  verdicts smallint[],
  CONSTRAINT flushes_pkey PRIMARY KEY (process_id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000);

CREATE TABLE branchline.heartbeats (
  run_id uuid NOT NULL,
  scheduled_event_id integer NOT NULL,
  attempt integer NOT NULL,
  at timestamp with time zone NOT NULL,
  details json,
  CONSTRAINT heartbeats_pkey PRIMARY KEY (run_id, scheduled_event_id)
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500);

CREATE TABLE branchline.history (
  run_id uuid NOT NULL,
  first_event_id integer NOT NULL,
  last_event_id integer NOT NULL,
  events json NOT NULL,
  CONSTRAINT history_pkey PRIMARY KEY (run_id, first_event_id),
  CONSTRAINT events_are_there CHECK ((last_event_id >= first_event_id)),
  CONSTRAINT history_first_event_id_check CHECK ((first_event_id > 0))
) WITH (toast_tuple_target=128, autovacuum_vacuum_scale_factor=0.05);

ALTER TABLE branchline.history ALTER COLUMN events SET STORAGE MAIN;

CREATE TABLE branchline.inbox (
  run_id uuid NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  kind text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  request json NOT NULL,
  written_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  error text,
  CONSTRAINT inbox_pkey PRIMARY KEY (run_id, seq),
  CONSTRAINT inbox_kind_check CHECK ((kind = ANY (ARRAY['cancel'::text, 'signal'::text, 'terminate'::text, 'update'::text]))),
  CONSTRAINT inbox_run_id_kind_request_id_key UNIQUE (run_id, kind, request_id)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500);

CREATE TABLE branchline.limited_activities (
  run_id uuid NOT NULL,
  scheduled_event_id integer NOT NULL,
  attempt integer NOT NULL,
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  fairness_key text COLLATE "C" NOT NULL,
  process_id uuid NOT NULL,
  admitted_at timestamp with time zone NOT NULL,
  CONSTRAINT limited_activities_pkey PRIMARY KEY (run_id, scheduled_event_id)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000);

CREATE INDEX limited_activities_by_key ON branchline.limited_activities USING btree (namespace_id, queue, fairness_key);

CREATE TABLE branchline.load_events (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  mode text NOT NULL,
  diverting boolean NOT NULL,
  reasons json NOT NULL,
  load json NOT NULL,
  CONSTRAINT load_events_pkey PRIMARY KEY (id)
);

CREATE TRIGGER load_events_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON branchline.load_events FOR EACH STATEMENT EXECUTE FUNCTION branchline.refuse_change();

CREATE TABLE branchline.load_guard (
  only_one boolean DEFAULT true NOT NULL,
  sampler uuid NOT NULL,
  lease_until timestamp with time zone NOT NULL,
  phase text DEFAULT 'calm'::text NOT NULL,
  since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  load json DEFAULT '{}'::json NOT NULL,
  reasons json DEFAULT '[]'::json NOT NULL,
  sampled_at timestamp with time zone,
  CONSTRAINT load_guard_pkey PRIMARY KEY (only_one),
  CONSTRAINT load_guard_only_one_check CHECK (only_one),
  CONSTRAINT load_guard_phase_check CHECK ((phase = ANY (ARRAY['calm'::text, 'diverting'::text, 'easing'::text, 'pressed'::text])))
) WITH (fillfactor=50);

CREATE TABLE branchline.local_results (
  run_id uuid NOT NULL,
  activity_id text COLLATE "C" NOT NULL,
  result json NOT NULL,
  CONSTRAINT local_results_pkey PRIMARY KEY (run_id, activity_id)
);

CREATE TABLE branchline.migrations (
  version integer NOT NULL,
  name text NOT NULL,
  applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT migrations_pkey PRIMARY KEY (version)
);

CREATE TABLE branchline.namespaces (
  id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
  uuid uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  description text NOT NULL,
  owner_email text NOT NULL,
  retention_ms bigint NOT NULL,
  state smallint NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  data jsonb NOT NULL,
  CONSTRAINT namespaces_pkey PRIMARY KEY (id),
  CONSTRAINT namespaces_name_key UNIQUE (name),
  CONSTRAINT namespaces_retention_ms_check CHECK ((retention_ms >= 0)),
  CONSTRAINT namespaces_state_check CHECK (((state >= 0) AND (state <= 3))),
  CONSTRAINT namespaces_uuid_key UNIQUE (uuid)
);

CREATE UNLOGGED TABLE branchline.notices (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  sender uuid NOT NULL,
  sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  notice text NOT NULL,
  CONSTRAINT notices_pkey PRIMARY KEY (id)
);

CREATE INDEX notices_by_time ON branchline.notices USING btree (sent_at);

CREATE TABLE branchline.payload_parties (
  id uuid NOT NULL,
  engine text,
  namespace text COLLATE "C" NOT NULL,
  task_queue text COLLATE "C" NOT NULL,
  identity text NOT NULL,
  canary json NOT NULL,
  unreadable json NOT NULL,
  seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT payload_parties_pkey PRIMARY KEY (id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.05);

CREATE TABLE branchline.processes (
  id uuid NOT NULL,
  identity text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  lease_until timestamp with time zone NOT NULL,
  listens boolean NOT NULL,
  pollers json NOT NULL,
  skips_time boolean NOT NULL,
  expires boolean NOT NULL,
  at_fence boolean DEFAULT false NOT NULL,
  CONSTRAINT processes_pkey PRIMARY KEY (id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=200);

CREATE UNLOGGED TABLE branchline.queries (
  id text COLLATE "C" NOT NULL,
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  workflow_id text NOT NULL,
  run_id text NOT NULL,
  query json NOT NULL,
  posted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  claimed_by uuid,
  answer json,
  CONSTRAINT queries_pkey PRIMARY KEY (id)
);

CREATE INDEX queries_waiting ON branchline.queries USING btree (namespace_id, queue) WHERE (claimed_by IS NULL);

CREATE TABLE branchline.restore_decisions (
  run_id uuid NOT NULL,
  decision text COLLATE "C" NOT NULL,
  decided_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  decided_by text NOT NULL,
  CONSTRAINT restore_decisions_pkey PRIMARY KEY (run_id),
  CONSTRAINT restore_decisions_decision_check CHECK ((decision = ANY (ARRAY['cancel'::text, 'hold'::text, 'resume'::text])))
);

CREATE TABLE branchline.route_versions (
  version integer NOT NULL,
  routes json NOT NULL,
  changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  changed_by text NOT NULL,
  reason text NOT NULL,
  restores integer,
  CONSTRAINT route_versions_pkey PRIMARY KEY (version),
  CONSTRAINT route_versions_check CHECK (((restores > 0) AND (restores < version))),
  CONSTRAINT route_versions_version_check CHECK ((version > 0))
);

CREATE TRIGGER route_versions_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON branchline.route_versions FOR EACH STATEMENT EXECUTE FUNCTION branchline.refuse_change();

CREATE TABLE branchline.routed_ids (
  namespace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  engine text NOT NULL,
  version bigint DEFAULT 1 NOT NULL,
  settled boolean DEFAULT false NOT NULL,
  starting text[] NOT NULL,
  past text[] DEFAULT '{}'::text[] NOT NULL,
  changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT routed_ids_pkey PRIMARY KEY (namespace, kind, id),
  CONSTRAINT routed_ids_kind_check CHECK ((kind = ANY (ARRAY['schedule'::text, 'workflow'::text])))
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);

CREATE INDEX routed_ids_by_age ON branchline.routed_ids USING btree (changed_at);

CREATE INDEX routed_ids_starting ON branchline.routed_ids USING btree (changed_at) WHERE (starting <> '{}'::text[]);

CREATE TABLE branchline.runs (
  run_id uuid NOT NULL,
  namespace_id integer NOT NULL,
  version bigint NOT NULL,
  owner uuid,
  due_at timestamp with time zone,
  state json NOT NULL,
  held boolean,
  CONSTRAINT runs_pkey PRIMARY KEY (run_id),
  CONSTRAINT runs_version_check CHECK ((version > 0))
) WITH (fillfactor=45, toast_tuple_target=128, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500, autovacuum_analyze_scale_factor=0.2, autovacuum_vacuum_cost_delay=1);

ALTER TABLE branchline.runs ALTER COLUMN state SET STORAGE MAIN;

CREATE INDEX runs_due ON branchline.runs USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE TABLE branchline.schedule_moves (
  id uuid NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  schedule_id text COLLATE "C" NOT NULL,
  from_engine text NOT NULL,
  to_engine text NOT NULL,
  step text NOT NULL,
  cut_at timestamp with time zone,
  state json NOT NULL,
  held_by text NOT NULL,
  held_until timestamp with time zone NOT NULL,
  moved_by text NOT NULL,
  reason text NOT NULL,
  begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT schedule_moves_pkey PRIMARY KEY (id),
  CONSTRAINT schedule_moves_check CHECK ((to_engine <> from_engine)),
  CONSTRAINT schedule_moves_check1 CHECK (((cut_at IS NOT NULL) OR (step = ANY (ARRAY['begun'::text, 'ready'::text, 'cutting'::text, 'undone'::text])))),
  CONSTRAINT schedule_moves_step_check CHECK ((step = ANY (ARRAY['begun'::text, 'ready'::text, 'cutting'::text, 'cut'::text, 'drained'::text, 'active'::text, 'filled'::text, 'done'::text, 'undone'::text])))
);

CREATE INDEX schedule_moves_of_schedule ON branchline.schedule_moves USING btree (namespace, schedule_id, begun_at);

CREATE UNIQUE INDEX schedule_moves_open ON branchline.schedule_moves USING btree (namespace, schedule_id) WHERE (step <> ALL (ARRAY['done'::text, 'undone'::text]));

CREATE TABLE branchline.schedule_slots (
  schedule_uuid uuid NOT NULL,
  slot bigint NOT NULL,
  nominal_time timestamp with time zone NOT NULL,
  slots integer NOT NULL,
  manual boolean NOT NULL,
  reason text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C",
  first_run_id uuid,
  message text,
  decided_at timestamp with time zone NOT NULL,
  CONSTRAINT schedule_slots_pkey PRIMARY KEY (schedule_uuid, slot),
  CONSTRAINT schedule_slots_reason_check CHECK ((reason = ANY (ARRAY['buffer full'::text, 'buffered'::text, 'fired'::text, 'missed catch-up window'::text, 'no actions left'::text, 'overlap skipped'::text, 'paused'::text, 'start failed'::text]))),
  CONSTRAINT schedule_slots_slot_check CHECK ((slot > 0)),
  CONSTRAINT schedule_slots_slots_check CHECK (((slots >= 1) AND (slots <= 1000)))
);

CREATE TABLE branchline.schedules (
  namespace_id integer NOT NULL,
  schedule_id text COLLATE "C" NOT NULL,
  uuid uuid NOT NULL,
  version bigint NOT NULL,
  create_request_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  due_at timestamp with time zone,
  search_attributes jsonb NOT NULL,
  state json NOT NULL,
  CONSTRAINT schedules_pkey PRIMARY KEY (namespace_id, schedule_id),
  CONSTRAINT schedules_uuid_key UNIQUE (uuid),
  CONSTRAINT schedules_version_check CHECK ((version > 0))
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500);

CREATE INDEX schedules_due ON branchline.schedules USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX schedules_in_list_order ON branchline.schedules USING btree (namespace_id, created_at DESC, schedule_id);

CREATE TABLE branchline.search_attributes (
  namespace_id integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  type smallint NOT NULL,
  CONSTRAINT search_attributes_pkey PRIMARY KEY (namespace_id, name),
  CONSTRAINT search_attributes_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES branchline.namespaces(id) ON DELETE CASCADE,
  CONSTRAINT search_attributes_type_check CHECK (((type >= 1) AND (type <= 7)))
);

CREATE TABLE branchline.signal_requests (
  run_id uuid NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  CONSTRAINT signal_requests_pkey PRIMARY KEY (run_id, request_id)
);

CREATE TABLE branchline.stand_ins (
  run_id uuid NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  engine text NOT NULL,
  started_on text NOT NULL,
  started_run_id uuid,
  looked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT stand_ins_pkey PRIMARY KEY (run_id)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);

CREATE INDEX stand_ins_by_look ON branchline.stand_ins USING btree (looked_at);

CREATE TABLE branchline.task_queue_configs (
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  config json NOT NULL,
  CONSTRAINT task_queue_configs_pkey PRIMARY KEY (namespace_id, queue, kind),
  CONSTRAINT task_queue_configs_kind_check CHECK ((kind = ANY (ARRAY['activity'::text, 'workflow'::text]))),
  CONSTRAINT task_queue_configs_version_check CHECK ((version > 0))
);

CREATE TABLE branchline.task_queue_limits (
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  fairness_key text COLLATE "C" NOT NULL,
  max_concurrent integer,
  max_per_second double precision,
  CONSTRAINT task_queue_limits_pkey PRIMARY KEY (namespace_id, queue, fairness_key),
  CONSTRAINT task_queue_limits_max_concurrent_check CHECK ((max_concurrent >= 0)),
  CONSTRAINT task_queue_limits_max_per_second_check CHECK ((max_per_second >= (0)::double precision))
);

CREATE UNLOGGED TABLE branchline.task_queue_rates (
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  fairness_key text COLLATE "C" NOT NULL,
  ready_at timestamp with time zone NOT NULL,
  CONSTRAINT task_queue_rates_pkey PRIMARY KEY (namespace_id, queue, fairness_key)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000);

CREATE TABLE branchline.tasks (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  namespace_id integer NOT NULL,
  queue text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  run_id uuid NOT NULL,
  scheduled_event_id integer NOT NULL,
  attempt integer NOT NULL,
  priority smallint NOT NULL,
  fairness_key text COLLATE "C" NOT NULL,
  fairness_weight real NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  claimed_by uuid,
  claim bigint,
  CONSTRAINT tasks_pkey PRIMARY KEY (id),
  CONSTRAINT claims_are_whole CHECK (((claimed_by IS NULL) = (claim IS NULL))),
  CONSTRAINT tasks_fairness_weight_check CHECK ((fairness_weight > (0)::double precision)),
  CONSTRAINT tasks_kind_check CHECK ((kind = ANY (ARRAY['activity'::text, 'workflow'::text]))),
  CONSTRAINT tasks_priority_check CHECK (((priority >= 1) AND (priority <= 5)))
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=1);

CREATE INDEX tasks_claimed ON branchline.tasks USING btree (claimed_by, claim) WHERE (claimed_by IS NOT NULL);

CREATE INDEX tasks_of_run ON branchline.tasks USING btree (run_id);

CREATE INDEX tasks_waiting ON branchline.tasks USING btree (namespace_id, queue, kind, priority, fairness_key, id) WHERE (claimed_by IS NULL);

CREATE TABLE branchline.worker_deployments (
  namespace_id integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  state json NOT NULL,
  CONSTRAINT worker_deployments_pkey PRIMARY KEY (namespace_id, name),
  CONSTRAINT worker_deployments_version_check CHECK ((version > 0))
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=50);

CREATE OR REPLACE FUNCTION branchline.admit_activity(namespace integer, task_queue text, key text, most integer, process uuid, run uuid, event integer, attempt_number integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.admit_message(namespace integer, id text, meant uuid, chain uuid, message_kind text, message_request_id text, message json, OUT admission text, OUT run uuid)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  found_status smallint;
  found_chain uuid;
BEGIN
  LOOP
    SELECT e.run_id, e.status, e.first_run_id INTO run, found_status, found_chain
    FROM executions e WHERE e.namespace_id = namespace AND e.workflow_id = id AND (meant IS NULL OR e.run_id = meant)
    ORDER BY e.status <> 1, e.start_time DESC LIMIT 1;
    admission := CASE
      WHEN NOT FOUND AND meant IS NULL THEN 'unknownWorkflow'
      WHEN NOT FOUND THEN 'unknownRun'
      WHEN chain <> found_chain THEN 'otherChain'
      WHEN found_status <> 1 THEN 'closed'
    END;
    IF admission IS NOT NULL THEN
      RETURN;
    END IF;
    PERFORM FROM runs r WHERE r.run_id = run FOR KEY SHARE;
    -- It may have closed while this waited.
    IF FOUND AND EXISTS (SELECT FROM executions e WHERE e.run_id = run AND e.status = 1) THEN
      EXIT;
    END IF;
  END LOOP;
  admission := 'deduplicated';
  IF message_kind = 'signal' AND EXISTS (SELECT FROM signal_requests s WHERE s.run_id = run AND s.request_id = message_request_id) THEN
    RETURN;
  END IF;
  INSERT INTO inbox (run_id, kind, request_id, request)
  VALUES (run, message_kind, coalesce(nullif(message_request_id, ''), gen_random_uuid()::text), message) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    admission := 'done';
    PERFORM tell_inbox(run);
  END IF;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.admit_schedule(namespace integer, id text, own_uuid uuid, request_id text, created_ms double precision, due_ms double precision, attributes jsonb, schedule json)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
BEGIN
  INSERT INTO schedules (namespace_id, schedule_id, uuid, version, create_request_id, created_at, due_at, search_attributes, state)
  VALUES (namespace, id, own_uuid, 1, request_id, ms_to_timestamp(created_ms), ms_to_timestamp(nullif(due_ms, 0)), attributes, schedule)
  ON CONFLICT (namespace_id, schedule_id) DO NOTHING;
  IF NOT FOUND THEN
    RETURN CASE WHEN EXISTS (SELECT FROM schedules s WHERE s.namespace_id = namespace AND s.schedule_id = id AND s.create_request_id = request_id)
      THEN 'deduplicated' ELSE 'taken' END;
  END IF;
  PERFORM tell_processes(json_build_object('kind', 'schedule', 'namespaceId', namespace, 'scheduleId', id, 'dueAtMs', due_ms));
  RETURN 'done';
END
$function$;

CREATE OR REPLACE FUNCTION branchline.admit_start(namespace integer, request json, reuse smallint, use_existing boolean, backoff_ms double precision, OUT admission text, OUT run uuid, OUT first_run uuid, OUT run_status smallint, OUT request_id text)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  id constant text := request ->> 'workflowId';
  started timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(namespace || ':' || id, 2));
  SELECT e.run_id, e.first_run_id, e.status, e.start_request_id INTO run, first_run, run_status, request_id
  FROM executions e WHERE e.namespace_id = namespace AND e.workflow_id = id ORDER BY e.status <> 1, e.start_time DESC LIMIT 1;
  IF FOUND THEN
    admission := CASE
      WHEN request_id = request ->> 'requestId' THEN 'deduplicated'
      WHEN run_status = 1 AND use_existing THEN 'existing'
      WHEN run_status = 1 THEN 'running'
      WHEN reuse = 2 OR (reuse = 1 AND run_status IN (2, 6)) THEN 'refused'
    END;
    IF admission IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  admission := 'done';
  run := new_run_id();
  first_run := run;
  run_status := 1;
  request_id := request ->> 'requestId';
  started := date_trunc('milliseconds', clock_timestamp());
  INSERT INTO executions (run_id, namespace_id, workflow_id, first_run_id, workflow_type, task_queue, status, start_request_id, start_time, execution_time,
    history_length, history_size_bytes, state_transitions)
  VALUES (run, namespace, id, run, request -> 'workflowType' ->> 'name', request -> 'taskQueue' ->> 'name', 1, request_id, started,
    started + make_interval(secs => backoff_ms / 1000), 0, 0, 0);
  INSERT INTO runs (run_id, namespace_id, version, owner, due_at, state)
  VALUES (run, namespace, 1, NULL, started, json_build_object('seed', json_build_object(
    'startedAtMs', extract(epoch FROM started) * 1000, 'request', request)));
  PERFORM tell_inbox(run);
END
$function$;

CREATE OR REPLACE FUNCTION branchline.cancel_workflow(workflow_id text, reason text DEFAULT ''::text, request_id text DEFAULT NULL::text, run_id uuid DEFAULT NULL::uuid, namespace text DEFAULT 'default'::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  answer record;
  id constant text := coalesce(request_id, gen_random_uuid()::text);
BEGIN
  PERFORM require_name(workflow_id, 'workflow_id'), require_name(id, 'request_id');
  SELECT * INTO answer FROM admit_message(namespace_id(namespace), workflow_id, run_id, NULL, 'cancel', id, json_build_object(
    'reason', reason, 'identity', 'sql:' || session_user, 'requestId', id));
  PERFORM require_done(CASE answer.admission WHEN 'closed' THEN 'done' ELSE answer.admission END, workflow_id);
  RETURN answer.run;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.commit_batch(process uuid, batch_number bigint, lease_ms integer, group_count integer, changes_runs boolean, ends_runs boolean, c_group integer[], c_run uuid[], c_expected bigint[], c_owner uuid[], c_due double precision[], c_busy boolean[], c_state json[], c_namespace integer[], c_workflow text[], c_reuse smallint[], c_request text[], h_at integer[], h_first integer[], h_last integer[], h_events json[], new_executions json, changed_executions json, new_tasks json, d_at integer[], d_task bigint[], s_at integer[], s_request text[], a_at integer[], a_event integer[], closes integer[], m_at integer[], m_seq bigint[], OUT verdicts smallint[], OUT now_ms double precision)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET lock_timeout TO '1s'
AS $function$
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
    UPDATE "branchline".flushes f SET batch = batch_number, verdicts = NULL WHERE f.process_id = process AND f.batch = batch_number - 1
    RETURNING (SELECT p.lease_until FROM "branchline".processes p WHERE p.id = process) INTO lease;
    IF NOT FOUND THEN
      INSERT INTO "branchline".flushes VALUES (process, batch_number, NULL) ON CONFLICT DO NOTHING;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % of process % was given up', batch_number, process USING ERRCODE = 'BL001';
      END IF;
    END IF;
  END IF;
  -- Runs are handed to a process that lives, or the reaper would never find them.
  IF lease IS NULL THEN
    SELECT p.lease_until INTO lease FROM "branchline".processes p WHERE p.id = process;
  END IF;
  IF batch_number = 0 AND (lease IS NULL OR lease < started) THEN
    -- Not renewed here: the row would stay locked until the caller commits.
    RAISE EXCEPTION 'process % lost its lease', process USING ERRCODE = 'BL002';
  ELSIF batch_number > 0 AND (lease IS NULL OR lease < started + make_interval(secs => lease_ms / 3000.0)) THEN
    INSERT INTO "branchline".processes VALUES (process, '', started, started + make_interval(secs => lease_ms / 1000.0), false, '[]', false, false)
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until;
  END IF;

  IF cardinality(array_remove(c_expected, 0)) > cardinality(closes) THEN
    FOR i IN
      SELECT c.n FROM unnest(c_run, c_expected) WITH ORDINALITY AS c(run, expected, n)
        JOIN "branchline".runs r ON r.run_id = c.run AND r.version = c.expected
      WHERE c.expected > 0 AND NOT c.n = ANY (closes)
      FOR NO KEY UPDATE OF r SKIP LOCKED
    LOOP
      verdict[i] := 0;
    END LOOP;
  END IF;
  IF cardinality(closes) > 0 THEN
    FOR i IN
      SELECT k.at FROM unnest(closes) AS k(at) JOIN "branchline".runs r ON r.run_id = c_run[k.at] AND r.version = c_expected[k.at]
      FOR UPDATE OF r SKIP LOCKED
    LOOP
      verdict[i] := 0;
    END LOOP;
    -- A statement of its own: it must see what those who held the row before have committed.
    FOR i IN
      SELECT k.at FROM unnest(closes) AS k(at)
      WHERE verdict[k.at] = 0 AND EXISTS (
        SELECT FROM "branchline".inbox m WHERE m.run_id = c_run[k.at] AND m.error IS NULL AND NOT m.seq = ANY (m_seq))
    LOOP
      verdict[i] := 4;
    END LOOP;
  END IF;
  IF cardinality(m_seq) > 0 THEN
    FOR i IN
      SELECT m.at FROM unnest(m_at, m_seq) AS m(at, seq)
      WHERE NOT EXISTS (SELECT FROM "branchline".inbox x WHERE x.run_id = c_run[m.at] AND x.seq = m.seq)
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
          SELECT FROM "branchline".executions e
          WHERE e.namespace_id = c.namespace AND e.workflow_id = c.workflow AND e.status = 1
            AND c_group[array_position(c_run, e.run_id)] IS DISTINCT FROM c.grp
        ) OR EXISTS (
          SELECT FROM (
            SELECT e.status, e.start_request_id FROM "branchline".executions e
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
        JOIN "branchline".runs r ON r.run_id = c.run AND r.version = c.expected
      WHERE c.verdict = 1
    LOOP
      verdict[i] := 3;
    END LOOP;
    FOR i IN 1 .. cardinality(c_group) LOOP
      group_verdict[c_group[i]] := greatest(group_verdict[c_group[i]], verdict[i]);
    END LOOP;
    IF batch_number > 0 THEN
      UPDATE "branchline".flushes f SET verdicts = group_verdict WHERE f.process_id = process;
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
    UPDATE "branchline".runs r SET
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
      DELETE FROM "branchline".tasks t USING ended e WHERE t.run_id = e.run
    ), without_heartbeats AS (
      DELETE FROM "branchline".heartbeats b USING ended e WHERE b.run_id = e.run
    ), without_signal_requests AS (
      DELETE FROM "branchline".signal_requests s USING ended e WHERE s.run_id = e.run
    )
    DELETE FROM "branchline".runs r USING ended e WHERE r.run_id = e.run;
  END IF;

  IF makes_runs THEN
    INSERT INTO "branchline".runs (run_id, namespace_id, version, owner, due_at, state)
    SELECT c.run, c.namespace, 1, c.owner,
      least(CASE WHEN c.due > 0 THEN to_timestamp(c.due / 1000) END, CASE WHEN c.busy THEN started + interval '10 seconds' END), c.state
    FROM unnest(c_run, c_expected, c_owner, c_due, c_busy, c_state, c_namespace, verdict)
      AS c(run, expected, owner, due, busy, state, namespace, verdict)
    WHERE c.verdict = 0 AND c.expected = 0 AND c.state IS NOT NULL;
  END IF;

  -- Closes go before starts: a group may do both to one workflow id.
  IF changed_executions IS NOT NULL THEN
    UPDATE "branchline".executions e SET
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
    INSERT INTO "branchline".executions (
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
    INSERT INTO "branchline".history (run_id, first_event_id, last_event_id, events)
    SELECT c_run[h.at], h.first, h.last, h.events
    FROM unnest(h_at, h_first, h_last, h_events) AS h(at, first, last, events)
    WHERE verdict[h.at] = 0;
  END IF;

  IF cardinality(d_at) > 0 THEN
    DELETE FROM "branchline".tasks t USING unnest(d_at, d_task) AS d(at, task) WHERE t.id = d.task AND verdict[d.at] = 0;
  END IF;
  IF new_tasks IS NOT NULL THEN
    INSERT INTO "branchline".tasks (namespace_id, queue, kind, run_id, scheduled_event_id, attempt, priority, fairness_key, fairness_weight)
    SELECT t."namespaceId", t.queue, t.kind, t."runId", t."scheduledEventId", t.attempt, t.priority, coalesce(t."fairnessKey", ''), coalesce(t.weight, 1)
    FROM json_to_recordset(new_tasks) AS t(
      at integer, "namespaceId" integer, queue text, kind text, "runId" uuid, "scheduledEventId" integer, attempt integer, priority smallint,
      "fairnessKey" text, weight real)
    WHERE verdict[t.at] = 0;
  END IF;
  IF cardinality(s_at) > 0 THEN
    INSERT INTO "branchline".signal_requests (run_id, request_id)
    SELECT c_run[s.at], s.request FROM unnest(s_at, s_request) AS s(at, request)
    WHERE verdict[s.at] = 0 AND c_state[s.at] IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF cardinality(m_at) > 0 THEN
    DELETE FROM "branchline".inbox x USING unnest(m_at, m_seq) AS m(at, seq)
    WHERE x.run_id = c_run[m.at] AND x.seq = m.seq AND verdict[m.at] = 0;
  END IF;
  IF cardinality(a_at) > 0 THEN
    DELETE FROM "branchline".heartbeats b USING unnest(a_at, a_event) AS a(at, event)
    WHERE b.run_id = c_run[a.at] AND b.scheduled_event_id = a.event AND verdict[a.at] = 0;
  END IF;

  verdicts := group_verdict;
  now_ms := extract(epoch FROM clock_timestamp())::double precision * 1000;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.current_timeline()
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
BEGIN
  RETURN (SELECT c.system_identifier FROM pg_control_system() AS c) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported OR object_not_in_prerequisite_state THEN
  RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.delete_execution(run uuid)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
  DELETE FROM runs WHERE run_id = run;
  DELETE FROM tasks WHERE run_id = run;
  DELETE FROM heartbeats WHERE run_id = run;
  DELETE FROM signal_requests WHERE run_id = run;
  DELETE FROM inbox WHERE run_id = run;
  DELETE FROM local_results WHERE run_id = run;
  DELETE FROM history WHERE run_id = run;
  DELETE FROM executions WHERE run_id = run;
$function$;

CREATE OR REPLACE FUNCTION branchline.delete_expired(namespace integer, after timestamp with time zone, before timestamp with time zone, most_runs integer, most_events bigint, OUT deleted integer, OUT last_close timestamp with time zone)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.explain(workflow_id text, run_id uuid DEFAULT NULL::uuid, namespace text DEFAULT 'default'::text, last_events integer DEFAULT 10)
 RETURNS SETOF text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  w record;
  line record;
BEGIN
  SELECT * INTO w FROM workflows x WHERE x.namespace = $3 AND x.workflow_id = $1 AND ($2 IS NULL OR x.run_id = $2)
  ORDER BY x.status <> 'Running', x.start_time DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'workflow not found for ID: %', $1 USING ERRCODE = 'BL404';
  END IF;
  RETURN NEXT format('%s %s: %s', w.workflow_type, w.workflow_id, w.status);
  RETURN NEXT format('├─ run %s on %s, started %s%s', w.run_id, w.task_queue, w.start_time, coalesce(', closed ' || w.close_time, ''));
  IF w.parent_workflow_id IS NOT NULL THEN
    RETURN NEXT format('├─ child of %s', w.parent_workflow_id);
  END IF;
  FOR line IN SELECT * FROM waiting_on o WHERE o.run_id = w.run_id ORDER BY o.kind, o.since, o.name LOOP
    RETURN NEXT format('├─ waits for %s %s: %s%s', line.kind, line.name, line.state, coalesce(', until ' || line.until, ''));
  END LOOP;
  RETURN NEXT format('└─ %s events', w.history_length);
  FOR line IN
    SELECT * FROM (SELECT h.event_id, h.event_time, h.event_type FROM history_events h WHERE h.run_id = w.run_id ORDER BY h.event_id DESC LIMIT $4) l
    ORDER BY l.event_id
  LOOP
    RETURN NEXT format('   ├─ %s %s %s', line.event_id, line.event_time, line.event_type);
  END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.json_payloads(args jsonb)
 RETURNS json
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
BEGIN
  IF args IS NULL OR jsonb_typeof(args) <> 'array' THEN
    RAISE EXCEPTION 'args is not a JSON array: one element per argument, e.g. ''["Ada", {"plan": "pro"}]''' USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(args::text) > 2 * 1024 * 1024 THEN
    RAISE EXCEPTION 'args are larger than 2 MiB' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN (SELECT json_build_object('payloads', coalesce(json_agg(json_build_object('encoding', 'json/plain', 'text', a.value::text) ORDER BY a.n), '[]'))
    FROM jsonb_array_elements(args) WITH ORDINALITY AS a(value, n));
END
$function$;

CREATE OR REPLACE FUNCTION branchline.meet_timeline(OUT timeline text, OUT fenced boolean)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.ms_to_timestamp(ms double precision)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ SELECT CASE WHEN ms OPERATOR(pg_catalog.>) 0 THEN pg_catalog.to_timestamp(ms OPERATOR(pg_catalog./) 1000) END $function$;

CREATE OR REPLACE FUNCTION branchline.namespace_id(name text)
 RETURNS integer
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  id integer;
BEGIN
  SELECT n.id INTO id FROM namespaces n WHERE n.name = $1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Namespace % is not found.', $1 USING ERRCODE = 'BL404';
  END IF;
  RETURN id;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.new_run_id()
 RETURNS uuid
 LANGUAGE sql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
  SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
    || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$function$;

CREATE OR REPLACE FUNCTION branchline.patch_ids(search_attributes jsonb)
 RETURNS SETOF text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT pg_catalog.jsonb_array_elements_text(CASE
    WHEN pg_catalog.jsonb_typeof(search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion') OPERATOR(pg_catalog.=) 'array'
      THEN search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion'
    WHEN pg_catalog.jsonb_typeof(search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion') OPERATOR(pg_catalog.=) 'string'
      THEN pg_catalog.jsonb_build_array(search_attributes OPERATOR(pg_catalog.->) 'TemporalChangeVersion')
    ELSE '[]' END)
$function$;

CREATE OR REPLACE FUNCTION branchline.raise_fence(why text, restored timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.readable(stored json)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'branchline', 'pg_temp'
AS $function$ SELECT readable(stored::jsonb) $function$;

CREATE OR REPLACE FUNCTION branchline.readable(stored jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.reap_processes(portion integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
BEGIN
  RAISE EXCEPTION '%.% is only ever added to', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'object_not_in_prerequisite_state';
END
$function$;

CREATE OR REPLACE FUNCTION branchline.require_done(admission text, workflow_id text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
BEGIN
  IF admission = 'closed' THEN
    RAISE EXCEPTION 'workflow execution already completed: %', workflow_id USING ERRCODE = 'BL404';
  ELSIF admission NOT IN ('done', 'deduplicated') THEN
    RAISE EXCEPTION 'workflow not found for ID: %', workflow_id USING ERRCODE = 'BL404';
  END IF;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.require_name(value text, what text)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
BEGIN
  IF value IS NULL OR value = '' THEN
    RAISE EXCEPTION '% is not set', what USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(value) > 1000 THEN
    RAISE EXCEPTION '% is longer than 1000 bytes', what USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.runs_without_patch(namespace_name text, type_name text, patch text)
 RETURNS TABLE(workflow_id text, run_id uuid, start_time timestamp with time zone)
 LANGUAGE sql
 STABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
  SELECT e.workflow_id, e.run_id, e.start_time
  FROM executions e JOIN namespaces n ON n.id = e.namespace_id
  WHERE n.name = namespace_name AND e.workflow_type = type_name AND e.status = 1
    AND NOT EXISTS (SELECT FROM patch_ids(e.search_attributes) AS p(patch_id) WHERE p.patch_id = patch)
  ORDER BY e.start_time
$function$;

CREATE OR REPLACE FUNCTION branchline.settle_batch(process uuid, batch_number bigint, OUT committed boolean, OUT verdicts smallint[])
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.signal_workflow(workflow_id text, signal_name text, args jsonb DEFAULT '[]'::jsonb, request_id text DEFAULT NULL::text, run_id uuid DEFAULT NULL::uuid, namespace text DEFAULT 'default'::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  answer record;
  id constant text := coalesce(request_id, gen_random_uuid()::text);
BEGIN
  PERFORM require_name(workflow_id, 'workflow_id'), require_name(signal_name, 'signal_name'), require_name(id, 'request_id');
  SELECT * INTO answer FROM admit_message(namespace_id(namespace), workflow_id, run_id, NULL, 'signal', id, json_build_object(
    'signalName', signal_name, 'input', json_payloads(args), 'identity', 'sql:' || session_user, 'requestId', id));
  PERFORM require_done(answer.admission, workflow_id);
  RETURN answer.run;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.start_workflow(workflow_type text, task_queue text, workflow_id text, args jsonb DEFAULT '[]'::jsonb, request_id text DEFAULT NULL::text, namespace text DEFAULT 'default'::text, id_reuse text DEFAULT 'allow_duplicate'::text, use_existing boolean DEFAULT false)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  reuse constant smallint := array_position(ARRAY['allow_duplicate', 'allow_duplicate_failed_only', 'reject_duplicate'], id_reuse) - 1;
  answer record;
BEGIN
  PERFORM require_name(workflow_type, 'workflow_type'), require_name(task_queue, 'task_queue'), require_name(workflow_id, 'workflow_id'),
    require_name(coalesce(request_id, '-'), 'request_id');
  IF reuse IS NULL THEN
    RAISE EXCEPTION 'id_reuse is none of allow_duplicate, allow_duplicate_failed_only, reject_duplicate' USING ERRCODE = 'invalid_parameter_value';
  ELSIF starts_with(task_queue, '/_sys/') THEN
    RAISE EXCEPTION 'task_queue may not begin with /_sys/' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO answer FROM admit_start(namespace_id(namespace), json_build_object(
    'namespace', namespace, 'workflowId', workflow_id, 'workflowType', json_build_object('name', workflow_type),
    'taskQueue', json_build_object('name', task_queue), 'input', json_payloads(args), 'identity', 'sql:' || session_user,
    'requestId', coalesce(request_id, gen_random_uuid()::text)), reuse, use_existing, 0);
  IF answer.admission = 'running' THEN
    RAISE EXCEPTION 'Workflow execution is already running. WorkflowId: %, RunId: %.', workflow_id, answer.run USING ERRCODE = 'BL409';
  ELSIF answer.admission = 'refused' THEN
    RAISE EXCEPTION 'Workflow execution already finished. WorkflowId: %, RunId: %.', workflow_id, answer.run USING ERRCODE = 'BL409';
  END IF;
  RETURN answer.run;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.take_starts(namespace integer, task_queue text, key text, per_second double precision, wanted integer, OUT granted integer, OUT wait_ms double precision)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION branchline.tell_inbox(run uuid)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
  SELECT tell_processes(json_build_object('kind', 'inbox', 'runIds', json_build_array(run)))
$function$;

CREATE OR REPLACE FUNCTION branchline.tell_of_fence()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  message constant text := json_build_object('from', nobody, 'hello', true, 'notices', json_build_array())::text;
BEGIN
  PERFORM pg_notify('branchline ' || current_schema(), message);
  INSERT INTO notices (sender, notice) SELECT nobody, message
  WHERE EXISTS (SELECT FROM processes p WHERE NOT p.listens AND p.lease_until > clock_timestamp());
END
$function$;

CREATE OR REPLACE FUNCTION branchline.tell_processes(notice json)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  message constant text := json_build_object('from', nobody, 'notices', json_build_array(notice))::text;
BEGIN
  PERFORM pg_notify('branchline ' || current_schema(), message);
  IF EXISTS (SELECT FROM processes p WHERE NOT p.listens AND p.lease_until > clock_timestamp()) THEN
    INSERT INTO notices (sender, notice) VALUES (nobody, message);
  END IF;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.terminate_workflow(workflow_id text, reason text DEFAULT ''::text, request_id text DEFAULT NULL::text, run_id uuid DEFAULT NULL::uuid, namespace text DEFAULT 'default'::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  answer record;
  id constant text := coalesce(request_id, gen_random_uuid()::text);
BEGIN
  PERFORM require_name(workflow_id, 'workflow_id'), require_name(id, 'request_id');
  SELECT * INTO answer FROM admit_message(namespace_id(namespace), workflow_id, run_id, NULL, 'terminate', id, json_build_object(
    'reason', reason, 'identity', 'sql:' || session_user));
  PERFORM require_done(answer.admission, workflow_id);
  RETURN answer.run;
END
$function$;

CREATE OR REPLACE FUNCTION branchline.workflow_result(workflow_id text, run_id uuid DEFAULT NULL::uuid, namespace text DEFAULT 'default'::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
DECLARE
  newest record;
  last_attributes jsonb;
BEGIN
  SELECT w.run_id, w.status INTO newest FROM workflows w
  WHERE w.namespace = $3 AND w.workflow_id = $1
    AND ($2 IS NULL OR w.first_run_id = (SELECT c.first_run_id FROM executions c WHERE c.run_id = $2))
  ORDER BY w.status <> 'Running', w.start_time DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'workflow not found for ID: %', $1 USING ERRCODE = 'BL404';
  ELSIF newest.status = 'Running' THEN
    RETURN NULL;
  END IF;
  SELECT h.attributes INTO last_attributes FROM history_events h WHERE h.run_id = newest.run_id ORDER BY h.event_id DESC LIMIT 1;
  IF newest.status <> 'Completed' THEN
    RAISE EXCEPTION 'Workflow %: %', newest.status, coalesce(last_attributes #>> '{failure,cause,message}', last_attributes #>> '{failure,message}',
      last_attributes ->> 'reason', $1) USING ERRCODE = 'BL500';
  END IF;
  RETURN last_attributes #> '{result,payloads,0}';
END
$function$;

CREATE OR REPLACE FUNCTION branchline.workflow_status(workflow_id text, run_id uuid DEFAULT NULL::uuid, namespace text DEFAULT 'default'::text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'branchline', 'pg_temp'
AS $function$
  SELECT w.status FROM workflows w
  WHERE w.namespace = $3 AND w.workflow_id = $1 AND ($2 IS NULL OR w.run_id = $2)
  ORDER BY w.status <> 'Running', w.start_time DESC LIMIT 1
$function$;

CREATE VIEW branchline.history_events WITH (security_invoker=true) AS
 SELECT n.name AS namespace,
    e.workflow_id,
    h.run_id,
    (ev.event ->> 'eventId'::text)::bigint AS event_id,
    (ev.event ->> 'eventTime'::text)::timestamp with time zone AS event_time,
    replace(initcap(replace(substr(ev.event ->> 'eventType'::text, 12), '_'::text, ' '::text)), ' '::text, ''::text) AS event_type,
    ( SELECT branchline.readable(a.value) AS readable
           FROM json_each(ev.event) a(key, value)
          WHERE a.key ~~ '%EventAttributes'::text) AS attributes
   FROM branchline.history h
     JOIN branchline.executions e ON e.run_id = h.run_id
     JOIN branchline.namespaces n ON n.id = e.namespace_id
     CROSS JOIN LATERAL json_array_elements(h.events) ev(event);

CREATE VIEW branchline.patched_runs WITH (security_invoker=true) AS
 SELECT w.namespace,
    w.workflow_id,
    w.run_id,
    w.workflow_type,
    w.status,
    w.start_time,
    p.patch_id,
    ( SELECT (m.attributes #>> '{details,patch-data,payloads,0,deprecated}'::text[])::boolean AS bool
           FROM branchline.history_events m
          WHERE m.run_id = w.run_id AND m.event_type = 'MarkerRecorded'::text AND (m.attributes ->> 'markerName'::text) = 'core_patch'::text AND (m.attributes #>> '{details,patch-data,payloads,0,id}'::text[]) = p.patch_id
          ORDER BY m.event_id
         LIMIT 1) AS deprecated
   FROM branchline.workflows w
     CROSS JOIN LATERAL branchline.patch_ids(w.search_attributes) p(patch_id)
  WHERE w.search_attributes IS NOT NULL;

CREATE VIEW branchline.pending_activities WITH (security_invoker=true) AS
 SELECT r.state ->> 'namespace'::text AS namespace,
    r.state ->> 'workflowId'::text AS workflow_id,
    r.run_id,
    a.value ->> 'activityId'::text AS activity_id,
    a.value ->> 'activityType'::text AS activity_type,
    a.value ->> 'taskQueue'::text AS task_queue,
        CASE
            WHEN (a.value ->> 'paused'::text)::boolean THEN 'Paused'::text
            WHEN ((a.value ->> 'startedAtMs'::text)::double precision) > 0::double precision THEN
            CASE
                WHEN (a.value ->> 'cancelRequested'::text)::boolean THEN 'CancelRequested'::text
                ELSE 'Started'::text
            END
            WHEN (a.value ->> 'backingOff'::text)::boolean THEN 'BackingOff'::text
            ELSE 'Scheduled'::text
        END AS state,
    COALESCE((a.value ->> 'attempt'::text)::integer, 1) AS attempt,
    branchline.ms_to_timestamp((a.value ->> 'scheduledAtMs'::text)::double precision) AS scheduled_at,
    branchline.ms_to_timestamp((a.value ->> 'startedAtMs'::text)::double precision) AS started_at,
    b.at AS last_heartbeat_at,
    branchline.readable(b.details) AS heartbeat_details,
    (a.value -> 'lastFailure'::text) ->> 'message'::text AS last_failure,
    a.value ->> 'lastWorkerIdentity'::text AS last_worker
   FROM branchline.runs r
     CROSS JOIN LATERAL json_each(r.state -> 'activities'::text) a(key, value)
     LEFT JOIN branchline.heartbeats b ON b.run_id = r.run_id AND b.scheduled_event_id = ((a.value ->> 'scheduledEventId'::text)::integer);

CREATE VIEW branchline.pending_timers WITH (security_invoker=true) AS
 SELECT r.state ->> 'namespace'::text AS namespace,
    r.state ->> 'workflowId'::text AS workflow_id,
    r.run_id,
    t.value ->> 'timerId'::text AS timer_id,
    branchline.ms_to_timestamp((t.value ->> 'fireAtMs'::text)::double precision) AS fires_at
   FROM branchline.runs r
     CROSS JOIN LATERAL json_each(r.state -> 'timers'::text) t(key, value);

CREATE VIEW branchline.schedule_history WITH (security_invoker=true) AS
 SELECT n.name AS namespace,
    s.schedule_id,
    o.slot,
    o.nominal_time,
    o.slots,
    o.manual,
    o.reason,
    o.workflow_id,
    o.first_run_id,
    o.message,
    o.decided_at
   FROM branchline.schedule_slots o
     JOIN branchline.schedules s ON s.uuid = o.schedule_uuid
     JOIN branchline.namespaces n ON n.id = s.namespace_id;

CREATE VIEW branchline.task_queue_backlog WITH (security_invoker=true) AS
 SELECT n.name AS namespace,
    t.queue AS task_queue,
    t.kind,
    count(*) FILTER (WHERE t.claimed_by IS NULL) AS waiting,
    count(*) FILTER (WHERE t.claimed_by IS NOT NULL) AS claimed,
    min(t.created_at) FILTER (WHERE t.claimed_by IS NULL) AS oldest
   FROM branchline.tasks t
     JOIN branchline.namespaces n ON n.id = t.namespace_id
  GROUP BY n.name, t.queue, t.kind;

CREATE VIEW branchline.waiting_on WITH (security_invoker=true) AS
 SELECT n.name AS namespace,
    e.workflow_id,
    e.run_id,
    x.kind,
    x.name,
    x.state,
    x.since,
    x.until
   FROM branchline.executions e
     JOIN branchline.namespaces n ON n.id = e.namespace_id
     JOIN branchline.runs r ON r.run_id = e.run_id
     CROSS JOIN LATERAL ( SELECT 'start'::text AS kind,
            e.task_queue AS name,
            'not looked at by any process yet'::text AS state,
            e.start_time AS since,
            NULL::timestamp with time zone AS until
          WHERE (r.state -> 'seed'::text) IS NOT NULL
        UNION ALL
         SELECT 'workflow task'::text,
            e.task_queue,
                CASE
                    WHEN (((r.state -> 'workflowTask'::text) ->> 'startedEventId'::text)::bigint) > 0 THEN 'Started'::text
                    ELSE 'Scheduled'::text
                END AS "case",
            branchline.ms_to_timestamp(((r.state -> 'workflowTask'::text) ->> 'scheduledAtMs'::text)::double precision) AS ms_to_timestamp,
            NULL::timestamp with time zone
          WHERE (r.state ->> 'workflowTask'::text) IS NOT NULL
        UNION ALL
         SELECT 'activity'::text,
            (a.activity_type || ' '::text) || a.activity_id,
            ((a.state || ', attempt '::text) || a.attempt) || COALESCE(': '::text || a.last_failure, ''::text),
            a.scheduled_at,
            NULL::timestamp with time zone
           FROM branchline.pending_activities a
          WHERE a.run_id = e.run_id
        UNION ALL
         SELECT 'timer'::text,
            t.timer_id,
            'Started'::text,
            NULL::timestamp with time zone,
            t.fires_at
           FROM branchline.pending_timers t
          WHERE t.run_id = e.run_id
        UNION ALL
         SELECT 'child'::text,
            COALESCE(c.value ->> 'workflowId'::text, c.key) AS "coalesce",
            'Started'::text,
            NULL::timestamp with time zone,
            NULL::timestamp with time zone
           FROM json_each(r.state -> 'children'::text) c(key, value)
        UNION ALL
         SELECT m.kind,
            COALESCE(m.request ->> 'signalName'::text, m.request #>> '{request,input,name}'::text[], ''::text) AS "coalesce",
            COALESCE('failed: '::text || m.error, 'not taken yet'::text) AS "coalesce",
            m.written_at,
            NULL::timestamp with time zone
           FROM branchline.inbox m
          WHERE m.run_id = e.run_id) x
  WHERE e.status = 1;

CREATE VIEW branchline.workflows WITH (security_invoker=true) AS
 SELECT n.name AS namespace,
    e.workflow_id,
    e.run_id,
    e.workflow_type,
    e.task_queue,
    (ARRAY['Running'::text, 'Completed'::text, 'Failed'::text, 'Canceled'::text, 'Terminated'::text, 'ContinuedAsNew'::text, 'TimedOut'::text])[e.status] AS status,
    e.start_time,
    e.execution_time,
    e.close_time,
    COALESCE(e.close_time, clock_timestamp()) - e.execution_time AS duration,
    COALESCE(((r.state ->> 'nextEventId'::text)::bigint) - 1, e.history_length) AS history_length,
    branchline.readable(e.memo) AS memo,
    e.search_attributes,
    e.parent_workflow_id,
    e.parent_run_id,
    COALESCE(e.root_workflow_id, e.workflow_id) AS root_workflow_id,
    COALESCE(e.root_run_id, e.run_id) AS root_run_id,
    e.first_run_id,
    r.owner AS process_id,
    r.due_at
   FROM branchline.executions e
     JOIN branchline.namespaces n ON n.id = e.namespace_id
     LEFT JOIN branchline.runs r ON r.run_id = e.run_id;
