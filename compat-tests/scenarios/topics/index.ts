/** All scenarios, topic by topic. */
import type { Scenario } from '../harness/scenario';
import { starts } from './starts';

export const scenarios: Scenario[] = [...starts];
