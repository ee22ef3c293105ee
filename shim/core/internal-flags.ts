/** Flags kept in WorkflowTaskCompleted.sdkMetadata, so that a replay takes the code paths of the first execution. */
import type { temporal } from '@temporalio/proto';
import type { TaskCompletedAttributes } from './messages';

/** The core's own flags, numbered as in Temporal's core. */
export enum CoreFlag {
  /** Ids and types of activities and children are compared with the history's. */
  IdAndTypeDeterminismChecks = 1,
  /** Each `patched` call also upserts the TemporalChangeVersion search attribute. */
  UpsertSearchAttributeOnPatch = 2,
  /** Commands after a workflow-ending command are kept and sent before it. */
  MoveTerminalCommands = 3,
}

const ALL_CORE_FLAGS = [
  CoreFlag.IdAndTypeDeterminismChecks,
  CoreFlag.UpsertSearchAttributeOnPatch,
  CoreFlag.MoveTerminalCommands,
];

export class InternalFlags {
  private readonly core = new Set<number>();
  private readonly lang = new Set<number>();
  private readonly newCore = new Set<number>();
  private readonly newLang = new Set<number>();
  private lastName = '';
  private lastVersion = '';

  constructor(
    private readonly sdkName: string,
    private readonly sdkVersion: string,
  ) {}

  /** Learn the flags of a completed workflow task found in history. */
  addFromHistory(attributes: TaskCompletedAttributes): void {
    const metadata = attributes.sdkMetadata;
    if (!metadata) return;
    for (const flag of metadata.coreUsedFlags ?? []) this.core.add(flag);
    for (const flag of metadata.langUsedFlags ?? []) this.lang.add(flag);
    if (metadata.sdkName) this.lastName = metadata.sdkName;
    if (metadata.sdkVersion) this.lastVersion = metadata.sdkVersion;
  }

  addLangUsed(flags: readonly number[]): void {
    for (const flag of flags) this.newLang.add(flag);
  }

  /** Whether the flag's behaviour applies: always on new ground (and it is recorded), in replay only if history has it. */
  tryUse(flag: CoreFlag, onNewGround: boolean): boolean {
    if (!onNewGround) return this.core.has(flag);
    this.newCore.add(flag);
    return true;
  }

  /** From here on the workflow task is ours: every flag we know holds for it. */
  useAll(): void {
    for (const flag of ALL_CORE_FLAGS) this.newCore.add(flag);
  }

  /** What the task's completion must record: only news. */
  takeForCompletion(): temporal.api.sdk.v1.IWorkflowTaskCompletedMetadata {
    const coreUsedFlags = take(this.newCore, this.core);
    const langUsedFlags = take(this.newLang, this.lang);
    return {
      coreUsedFlags,
      langUsedFlags,
      sdkName: this.lastName === this.sdkName ? '' : this.sdkName,
      sdkVersion: this.lastVersion === this.sdkVersion ? '' : this.sdkVersion,
    };
  }

  allLang(): number[] {
    return [...this.lang];
  }

  get lastSdkVersion(): string {
    return this.lastVersion;
  }
}

/** Moves the pending flags to the known ones; gives back those that were new, ascending. */
function take(pending: Set<number>, known: Set<number>): number[] {
  const fresh = [...pending].filter((flag) => !known.has(flag)).sort((a, b) => a - b);
  for (const flag of fresh) known.add(flag);
  return fresh;
}
