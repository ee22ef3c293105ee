/** What assess knows of a repository: plain data, as `--output json` gives it. */
export interface Site {
  path: string;
  line: number;
}

export interface FanOut extends Site {
  over: 'activities' | 'children';
  how: 'Promise.all' | 'map' | 'loop';
  /** At once, where the code says how many; undefined: as many as there are elements. */
  width?: number;
}

export interface Finding extends Site {
  code: string;
  reason: string;
}

/** One type starts, awaits, signals or cancels another: they need each other's engine. */
export interface Edge extends Site {
  from: string;
  to: string;
  how: 'child' | 'external' | 'activity starts it';
}

export interface WorkflowFacts {
  type: string;
  defined?: Site;
  startedAt: Site[];
  /** Names of @temporalio/workflow that it uses. */
  api: string[];
  activities: string[];
  fanOut: FanOut[];
  /** Awaited calls in a loop: the history grows with each turn. */
  loops: Site[];
  unsupported: Finding[];
  hazards: Finding[];
}

export interface RepositoryFacts {
  root: string;
  files: number;
  workflows: WorkflowFacts[];
  edges: Edge[];
  /** Where a workflowsPath is given that leads to no file here: types behind it are missing. */
  notFollowed: Site[];
  /** Options and names refused by Branchline outside of workflow code. */
  unsupported: Finding[];
  failed: { path: string; reason: string }[];
}
