-- Workflows from SQL, and from transactions of application code
-- =============================================================
-- docs/sql.md describes what is meant to be called; everything works in whatever transaction the caller has: nothing is there before its commit, nothing after
-- its rollback. No process needs to be alive: what was asked for is found by the next one.
--
-- A start writes the rows of a run at once, so that its id is taken and can be listed; its state is the request (a seed), which the process that looks
-- at it first turns into a history. What is meant for an open run goes into `inbox`, under a lock that keeps the run from closing before the caller's
-- transaction ends; after that `commit_batch` does not close it before the inbox is empty. NOTIFY is delivered with the caller's commit.
--
-- `admit_start` and `admit_message` are what branchline/client calls too; they answer in words, as an error would end the caller's transaction.
--
-- :"schema" stands for the quoted name of the schema; shim/store/migrate.ts puts it in.

SET LOCAL search_path TO :"schema", pg_temp;

-- UUID v7, as the other run ids are: new rows come at the end of the indexes.
CREATE FUNCTION new_run_id() RETURNS uuid
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
  SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
    || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

-- Wakes the processes when the transaction commits.
CREATE FUNCTION tell_processes(notice json) RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  message constant text := json_build_object('from', nobody, 'notices', json_build_array(notice))::text;
BEGIN
  PERFORM pg_notify('branchline ' || current_schema(), message);
  IF EXISTS (SELECT FROM processes p WHERE NOT p.listens AND p.lease_until > clock_timestamp()) THEN
    INSERT INTO notices (sender, notice) VALUES (nobody, message);
  END IF;
END
$$;

CREATE FUNCTION tell_inbox(run uuid) RETURNS void
LANGUAGE sql
SET search_path FROM CURRENT
AS $$
  SELECT tell_processes(json_build_object('kind', 'inbox', 'runIds', json_build_array(run)))
$$;

-- Starts a run within the caller's transaction. Starters of one id wait for each other's transactions.
-- `admission`: done; deduplicated (this request started it before); existing (running, and may be used); running; refused (by the reuse policy, closed).
-- reuse: 0 allow duplicate, 1 allow duplicate if the last one failed, 2 reject duplicate.
CREATE FUNCTION admit_start(
  namespace integer, request json, reuse smallint, use_existing boolean, backoff_ms double precision,
  OUT admission text, OUT run uuid, OUT first_run uuid, OUT run_status smallint, OUT request_id text
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

-- Leaves something for an open run: a signal, an update, a cancel request, or its termination. The run stays open until the caller's transaction has ended.
-- `admission`: done; deduplicated; closed; unknownWorkflow, unknownRun, otherChain (the current run is not of the chain that begins with `chain`).
CREATE FUNCTION admit_message(
  namespace integer, id text, meant uuid, chain uuid, message_kind text, message_request_id text, message json,
  OUT admission text, OUT run uuid
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

-- Creates a schedule within the caller's transaction. Creators of one id wait for each other's transactions. Answers done, deduplicated (this request has created it
-- before) or taken.
CREATE FUNCTION admit_schedule(
  namespace integer, id text, own_uuid uuid, request_id text, created_ms double precision, due_ms double precision, attributes jsonb, schedule json
) RETURNS text
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

-- What psql, triggers and other languages call

CREATE FUNCTION namespace_id(name text) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
  id integer;
BEGIN
  SELECT n.id INTO id FROM namespaces n WHERE n.name = $1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Namespace % is not found.', $1 USING ERRCODE = 'BL404';
  END IF;
  RETURN id;
END
$$;

-- Arguments as payloads of encoding json/plain: an array, one element per argument.
CREATE FUNCTION json_payloads(args jsonb) RETURNS json
LANGUAGE plpgsql IMMUTABLE
SET search_path FROM CURRENT
AS $$
BEGIN
  IF args IS NULL OR jsonb_typeof(args) <> 'array' THEN
    RAISE EXCEPTION 'args is not a JSON array: one element per argument, e.g. ''["Ada", {"plan": "pro"}]''' USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(args::text) > 2 * 1024 * 1024 THEN
    RAISE EXCEPTION 'args are larger than 2 MiB' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN (SELECT json_build_object('payloads', coalesce(json_agg(json_build_object('encoding', 'json/plain', 'text', a.value::text) ORDER BY a.n), '[]'))
    FROM jsonb_array_elements(args) WITH ORDINALITY AS a(value, n));
END
$$;

CREATE FUNCTION require_name(value text, what text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path FROM CURRENT
AS $$
BEGIN
  IF value IS NULL OR value = '' THEN
    RAISE EXCEPTION '% is not set', what USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(value) > 1000 THEN
    RAISE EXCEPTION '% is longer than 1000 bytes', what USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;

-- Raises BL409 when the id is taken: by a running workflow, or by a closed one that `id_reuse` does not allow to follow.
CREATE FUNCTION start_workflow(
  workflow_type text, task_queue text, workflow_id text, args jsonb DEFAULT '[]', request_id text DEFAULT NULL, namespace text DEFAULT 'default',
  id_reuse text DEFAULT 'allow_duplicate', use_existing boolean DEFAULT false
) RETURNS uuid
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

-- Raises BL404 for a message that found no open run.
CREATE FUNCTION require_done(admission text, workflow_id text) RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF admission = 'closed' THEN
    RAISE EXCEPTION 'workflow execution already completed: %', workflow_id USING ERRCODE = 'BL404';
  ELSIF admission NOT IN ('done', 'deduplicated') THEN
    RAISE EXCEPTION 'workflow not found for ID: %', workflow_id USING ERRCODE = 'BL404';
  END IF;
END
$$;

CREATE FUNCTION signal_workflow(
  workflow_id text, signal_name text, args jsonb DEFAULT '[]', request_id text DEFAULT NULL, run_id uuid DEFAULT NULL, namespace text DEFAULT 'default'
) RETURNS uuid
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

-- Does nothing to a closed run, as Temporal has it.
CREATE FUNCTION cancel_workflow(
  workflow_id text, reason text DEFAULT '', request_id text DEFAULT NULL, run_id uuid DEFAULT NULL, namespace text DEFAULT 'default'
) RETURNS uuid
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

CREATE FUNCTION terminate_workflow(
  workflow_id text, reason text DEFAULT '', request_id text DEFAULT NULL, run_id uuid DEFAULT NULL, namespace text DEFAULT 'default'
) RETURNS uuid
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
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
$$;

-- The run that is meant, or the newest one of the id; null when there is none.
CREATE FUNCTION workflow_status(workflow_id text, run_id uuid DEFAULT NULL, namespace text DEFAULT 'default') RETURNS text
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
  SELECT w.status FROM workflows w
  WHERE w.namespace = $3 AND w.workflow_id = $1 AND ($2 IS NULL OR w.run_id = $2)
  ORDER BY w.status <> 'Running', w.start_time DESC LIMIT 1
$$;

-- Null while it runs (and for a workflow that returned nothing). A chain of continued or retried runs is followed to its last one.
-- Raises BL404 when there is none, BL500 with the message of the failure when it did not complete.
CREATE FUNCTION workflow_result(workflow_id text, run_id uuid DEFAULT NULL, namespace text DEFAULT 'default') RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $$
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
$$;

-- What an open run waits for, one row each.
CREATE VIEW waiting_on AS
SELECT n.name AS namespace, e.workflow_id, e.run_id, x.kind, x.name, x.state, x.since, x.until
FROM executions e
  JOIN namespaces n ON n.id = e.namespace_id
  JOIN runs r ON r.run_id = e.run_id
  CROSS JOIN LATERAL (
    SELECT 'start' AS kind, e.task_queue AS name, 'not looked at by any process yet' AS state, e.start_time AS since, NULL::timestamptz AS until
    WHERE r.state -> 'seed' IS NOT NULL
    UNION ALL
    SELECT 'workflow task', e.task_queue, CASE WHEN (r.state -> 'workflowTask' ->> 'startedEventId')::bigint > 0 THEN 'Started' ELSE 'Scheduled' END,
      ms_to_timestamp((r.state -> 'workflowTask' ->> 'scheduledAtMs')::double precision), NULL
    WHERE r.state ->> 'workflowTask' IS NOT NULL
    UNION ALL
    SELECT 'activity', a.activity_type || ' ' || a.activity_id, a.state || ', attempt ' || a.attempt || coalesce(': ' || a.last_failure, ''), a.scheduled_at, NULL
    FROM pending_activities a WHERE a.run_id = e.run_id
    UNION ALL
    SELECT 'timer', t.timer_id, 'Started', NULL, t.fires_at FROM pending_timers t WHERE t.run_id = e.run_id
    UNION ALL
    SELECT 'child', coalesce(c.value ->> 'workflowId', c.key), 'Started', NULL, NULL FROM json_each(r.state -> 'children') AS c
    UNION ALL
    SELECT m.kind, coalesce(m.request ->> 'signalName', m.request #>> '{request,input,name}', ''), coalesce('failed: ' || m.error, 'not taken yet'), m.written_at, NULL
    FROM inbox m WHERE m.run_id = e.run_id
  ) x
WHERE e.status = 1;

-- Task rows that wait for a worker. What a process with workers of its own has in memory is not among them.
CREATE VIEW task_queue_backlog AS
SELECT n.name AS namespace, t.queue AS task_queue, t.kind, count(*) FILTER (WHERE t.claimed_by IS NULL) AS waiting,
  count(*) FILTER (WHERE t.claimed_by IS NOT NULL) AS claimed, min(t.created_at) FILTER (WHERE t.claimed_by IS NULL) AS oldest
FROM tasks t JOIN namespaces n ON n.id = t.namespace_id
GROUP BY n.name, t.queue, t.kind;

-- A run as a tree to read: how it stands, what it waits for, and its last events. One line per row.
CREATE FUNCTION explain(workflow_id text, run_id uuid DEFAULT NULL, namespace text DEFAULT 'default', last_events integer DEFAULT 10) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $$
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
$$;
