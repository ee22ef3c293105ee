/**
 * What each role may do, object by object: exactly what the code does that it is for. Each role has its own line of rights, none inherits another's.
 * An object that is not here is nobody's but the owner's; test/store/roles.test.ts holds the lists against the schema.
 */

/** reader: reads views. client: starts and signals. worker: works. admin: runs the whole, short of changing tables. */
export const ROLE_KINDS = ['reader', 'client', 'worker', 'admin'] as const;
export type RoleKind = (typeof ROLE_KINDS)[number];

/** Letters of privileges: s SELECT, i INSERT, u UPDATE, d DELETE; '' = none. In the order of ROLE_KINDS. */
type Letters = readonly [reader: string, client: string, worker: string, admin: string];

/** Views read tables with the rights of who asks (from Postgres 15 on): readers have SELECT on the tables of the views as well. */
export const TABLES: Readonly<Record<string, Letters>> = {
  batch_items: ['', '', 'siud', 'siud'],
  batch_jobs: ['', '', 'sud', 'siud'],
  executions: ['s', 'siu', 'siud', 'siud'],
  fence: ['', '', '', 'su'],
  flushes: ['', 'siu', 'siu', 'siu'],
  heartbeats: ['s', 'siud', 'siud', 'siud'],
  // Added to. Deleted when the retention ends; never changed.
  history: ['s', 'si', 'sid', 'sid'],
  inbox: ['s', 'siud', 'siud', 'siud'],
  limited_activities: ['', 's', 'siud', 'siud'],
  load_events: ['', 'si', 'si', 'si'],
  load_guard: ['', 'siu', 'siu', 'siu'],
  local_results: ['', '', 'sid', 'sid'],
  migrations: ['', 's', 's', 's'],
  namespaces: ['s', 's', 's', 'siu'],
  notices: ['', 'sid', 'sid', 'sid'],
  payload_parties: ['', 'siud', 'siud', 'siud'],
  processes: ['', 'siu', 'siu', 'siu'],
  // Answered by UPDATE, as tasks are claimed.
  queries: ['', 'sid', 'siud', 'siud'],
  restore_decisions: ['', '', '', 'siud'],
  route_versions: ['', 's', 's', 'si'],
  routed_ids: ['', 'siud', 'siud', 'siud'],
  runs: ['s', 'siud', 'siud', 'siud'],
  // Begun by operators, and gone on with by whoever finds one that was left.
  schedule_moves: ['', 'su', 'su', 'siu'],
  schedule_slots: ['s', 'siud', 'siud', 'siud'],
  schedules: ['s', 'siud', 'siud', 'siud'],
  search_attributes: ['', 's', 's', 'siud'],
  signal_requests: ['', 'sid', 'sid', 'sid'],
  // Swept by every routed connection, as routed ids are.
  stand_ins: ['', 'siud', 'siud', 'siud'],
  task_queue_configs: ['', 's', 's', 'siu'],
  task_queue_limits: ['', 's', 's', 'siud'],
  task_queue_rates: ['', '', 'siu', 'siu'],
  tasks: ['s', 'sid', 'siud', 'siud'],
  worker_deployments: ['', 's', 'siud', 'siud'],
};

export const PRIVILEGES: Readonly<Record<string, string>> = { s: 'SELECT', i: 'INSERT', u: 'UPDATE', d: 'DELETE' };

/** Everybody who may read tables may read views. */
export const VIEWS = [
  'history_events',
  'patched_runs',
  'pending_activities',
  'pending_timers',
  'schedule_history',
  'task_queue_backlog',
  'waiting_on',
  'workflows',
] as const;

/** The first role of ROLE_KINDS that may call it; those after it may too. With argument types where a name is there twice. */
export const FUNCTIONS: Readonly<Record<string, RoleKind>> = {
  explain: 'reader',
  ms_to_timestamp: 'reader',
  patch_ids: 'reader',
  'readable(json)': 'reader',
  'readable(jsonb)': 'reader',
  runs_without_patch: 'reader',
  workflow_result: 'reader',
  workflow_status: 'reader',

  cancel_workflow: 'client',
  signal_workflow: 'client',
  start_workflow: 'client',
  terminate_workflow: 'client',
  // What those are made of, and what a client's process calls.
  admit_message: 'client',
  admit_schedule: 'client',
  admit_start: 'client',
  commit_batch: 'client',
  json_payloads: 'client',
  meet_timeline: 'client',
  namespace_id: 'client',
  new_run_id: 'client',
  reap_processes: 'client',
  require_done: 'client',
  require_name: 'client',
  settle_batch: 'client',
  tell_inbox: 'client',
  tell_processes: 'client',

  admit_activity: 'worker',
  delete_execution: 'worker',
  delete_expired: 'worker',
  take_starts: 'worker',

  current_timeline: 'admin',
  raise_fence: 'admin',
  tell_of_fence: 'admin',
};

/** Called by triggers, which need no right to it. */
export const TRIGGER_FUNCTIONS = ['refuse_change'] as const;

/** Names of functions that the role may call. */
export const functionsOf = (kind: RoleKind): string[] =>
  Object.entries(FUNCTIONS)
    .filter(([, first]) => ROLE_KINDS.indexOf(first) <= ROLE_KINDS.indexOf(kind))
    .map(([name]) => name);

/** What is of all namespaces at once, and which letters remain to roles for some of them. */
const OF_THE_WHOLE: Readonly<Record<string, string>> = { fence: '', restore_decisions: '', route_versions: 's' };

/** Letters of the role on each table that it may touch. */
export const tablesOf = (kind: RoleKind, restricted: boolean): [table: string, letters: string][] =>
  Object.entries(TABLES)
    .map(([table, letters]): [string, string] => {
      const all = letters[ROLE_KINDS.indexOf(kind)]!;
      const most = restricted ? OF_THE_WHOLE[table] : undefined;
      return [table, most === undefined ? all : [...all].filter((letter) => most.includes(letter)).join('')];
    })
    .filter(([, letters]) => letters !== '');
