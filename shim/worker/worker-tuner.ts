/** Temporal's worker tuner: fixed-size slot suppliers become the worker's limits, the others are refused by name. */
import type { WorkerDeploymentVersion } from '@temporalio/common';
import type { Duration } from '@temporalio/common/lib/time';
import { BranchlineOptionError } from '../common/errors';
import type { ResourceBasedController } from './refused';

export interface TunerHolder {
  workflowTaskSlotSupplier: SlotSupplier<WorkflowSlotInfo>;
  activityTaskSlotSupplier: SlotSupplier<ActivitySlotInfo>;
  localActivityTaskSlotSupplier: SlotSupplier<LocalActivitySlotInfo>;
  nexusTaskSlotSupplier: SlotSupplier<NexusSlotInfo>;
}

export interface FixedSizeSlotSupplier {
  type: 'fixed-size';
  numSlots: number;
}

/** Refused: see {@link slotLimits}. */
export type ResourceBasedSlotsForType = ResourceBasedSlotOptions & ResourceBasedTarget & { type: 'resource-based' };

export interface ResourceBasedSlotOptions {
  minimumSlots?: number;
  maximumSlots?: number;
  rampThrottle?: Duration;
}

type ResourceBasedTarget =
  | { tunerOptions: ResourceBasedTunerOptions; controller?: never }
  | { controller: ResourceBasedController; tunerOptions?: never };

export interface ResourceBasedTunerOptions {
  targetMemoryUsage: number;
  targetCpuUsage: number;
}

interface SlotOptionsOfEachKind {
  workflowTaskSlotOptions?: ResourceBasedSlotOptions;
  activityTaskSlotOptions?: ResourceBasedSlotOptions;
  localActivityTaskSlotOptions?: ResourceBasedSlotOptions;
  nexusTaskSlotOptions?: ResourceBasedSlotOptions;
}

/** Refused: see {@link slotLimits}. */
export interface ResourceBasedTuner extends SlotOptionsOfEachKind {
  tunerOptions: ResourceBasedTunerOptions;
  controller?: never;
}

/** Refused: see {@link slotLimits}. */
export interface ResourceBasedTunerWithController extends SlotOptionsOfEachKind {
  controller: ResourceBasedController;
  tunerOptions?: never;
}

/** Refused: see {@link slotLimits}. */
export interface CustomSlotSupplier<Info extends SlotInfo = SlotInfo> {
  type: 'custom';
  reserveSlot(ctx: SlotReserveContext, abortSignal: AbortSignal): Promise<SlotPermit>;
  tryReserveSlot(ctx: SlotReserveContext): SlotPermit | null;
  markSlotUsed(ctx: SlotMarkUsedContext<Info>): void;
  releaseSlot(ctx: SlotReleaseContext<Info>): void;
}

export type SlotInfo = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo;

export interface WorkflowSlotInfo {
  type: 'workflow';
  workflowType: string;
  isSticky: boolean;
}

export interface ActivitySlotInfo {
  type: 'activity';
  activityType: string;
}

export interface LocalActivitySlotInfo {
  type: 'local-activity';
  activityType: string;
}

interface NexusSlotInfo {
  type: 'nexus';
  service: string;
  operation: string;
}

export type SlotPermit = object;

export interface SlotReserveContext {
  slotType: SlotInfo['type'];
  taskQueue: string;
  workerIdentity: string;
  workerBuildId: string;
  workerDeploymentVersion?: WorkerDeploymentVersion;
  isSticky: boolean;
}

export interface SlotMarkUsedContext<Info extends SlotInfo> {
  slotInfo: Info;
  permit: SlotPermit;
}

export interface SlotReleaseContext<Info extends SlotInfo> {
  slotInfo?: Info;
  permit: SlotPermit;
}

export type SlotSupplier<Info extends SlotInfo = SlotInfo> =
  FixedSizeSlotSupplier | ResourceBasedSlotsForType | CustomSlotSupplier<Info>;
export type WorkerTuner = TunerHolder | ResourceBasedTuner | ResourceBasedTunerWithController;

/** How many tasks of each kind may be under way at once. */
export interface SlotLimits {
  workflowTasks: number;
  activities: number;
  localActivities: number;
}

/** The limits of a tuner. @throws BranchlineOptionError for suppliers that are not of fixed size */
export function slotLimits(tuner: WorkerTuner): SlotLimits {
  if (!('workflowTaskSlotSupplier' in tuner)) {
    const option = tuner.controller === undefined ? 'tuner.tunerOptions' : 'tuner.controller';
    throw new BranchlineOptionError(option, "use 'fixed-size' slot suppliers or maxConcurrent… options.");
  }
  const slots = (kind: keyof TunerHolder): number => {
    const supplier = tuner[kind];
    if (supplier.type !== 'fixed-size') {
      throw new BranchlineOptionError(`tuner.${kind}.type`, `'${supplier.type}' is not known; use 'fixed-size'.`);
    }
    if (!(supplier.numSlots >= 1)) throw new TypeError(`tuner.${kind}.numSlots must be at least 1`);
    return supplier.numSlots;
  };
  return {
    workflowTasks: slots('workflowTaskSlotSupplier'),
    activities: slots('activityTaskSlotSupplier'),
    localActivities: slots('localActivityTaskSlotSupplier'),
  };
}
