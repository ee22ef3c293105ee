/** All scenarios, topic by topic. */
import type { Scenario } from '../harness/scenario';
import { activities } from './activities';
import { activityTasks } from './activity-tasks';
import { children } from './children';
import { commands } from './commands';
import { starts } from './starts';
import { timers } from './timers';
import { workflowTasks } from './workflow-tasks';

export const scenarios: Scenario[] = [
  ...starts,
  ...workflowTasks,
  ...commands,
  ...activities,
  ...activityTasks,
  ...timers,
  ...children,
];
