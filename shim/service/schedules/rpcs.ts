/** The RPCs of schedules, by their lower-camel names. */
import type { RpcTable } from '../client-rpcs';
import type { ServiceParts } from '../types';
import { createSchedule, deleteSchedule, patchSchedule, updateSchedule } from './changes';
import { countSchedules, describeSchedule, listScheduleMatchingTimes, listSchedules } from './reads';
import type { Schedules } from './schedules';

export const scheduleRpcs = (parts: ServiceParts, schedules: Schedules): RpcTable => ({
  createSchedule: createSchedule(parts, schedules),
  describeSchedule: describeSchedule(parts),
  updateSchedule: updateSchedule(parts, schedules),
  patchSchedule: patchSchedule(parts, schedules),
  deleteSchedule: deleteSchedule(parts, schedules),
  listSchedules: listSchedules(parts),
  countSchedules: countSchedules(parts),
  listScheduleMatchingTimes: listScheduleMatchingTimes(parts),
});
