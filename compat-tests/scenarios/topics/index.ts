/** All scenarios, topic by topic. */
import type { Scenario } from '../harness/scenario';
import { activities } from './activities';
import { activityControls } from './activity-controls';
import { activityTasks } from './activity-tasks';
import { batches } from './batches';
import { chains } from './chains';
import { children } from './children';
import { commands } from './commands';
import { queries } from './queries';
import { resets } from './reset';
import { schedules } from './schedules';
import { starts } from './starts';
import { taskQueues } from './task-queues';
import { timers } from './timers';
import { updates } from './updates';
import { versions } from './versions';
import { visibility } from './visibility';
import { workflowTasks } from './workflow-tasks';

export const scenarios: Scenario[] = [
  ...starts,
  ...workflowTasks,
  ...commands,
  ...activities,
  ...activityTasks,
  ...activityControls,
  ...taskQueues,
  ...timers,
  ...children,
  ...resets,
  ...batches,
  ...schedules,
  ...chains,
  ...updates,
  ...queries,
  ...visibility,
  ...versions,
];
