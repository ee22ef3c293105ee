/** Tasks that came while a run was busy. */
import { int64 } from '../common/proto-values';
import type { WorkflowTask } from './types';

/** True for a task that only asks a query. */
export function isQueryOnly(task: WorkflowTask): boolean {
  return int64(task.startedEventId) === 0 && Boolean(task.query);
}

export class BufferedTasks {
  /** At most one: a newer workflow task makes an older one void. */
  private task: WorkflowTask | undefined;
  private queries: WorkflowTask[] = [];
  /** Queries that came after the buffered task; void when it is replaced. */
  private queriesAfterTask: WorkflowTask[] = [];

  add(task: WorkflowTask): void {
    if (isQueryOnly(task)) {
      (this.task === undefined ? this.queries : this.queriesAfterTask).push(task);
      return;
    }
    if (this.task !== undefined) this.queriesAfterTask = [];
    this.task = task;
  }

  get isEmpty(): boolean {
    return this.task === undefined && this.queries.length === 0 && this.queriesAfterTask.length === 0;
  }

  /** Queries on the present state come first, then the task, then the queries that came after it. */
  next(): WorkflowTask | undefined {
    const query = this.queries.shift();
    if (query !== undefined) return query;
    const { task } = this;
    this.task = undefined;
    this.queries = this.queriesAfterTask;
    this.queriesAfterTask = [];
    return task ?? this.queries.shift();
  }

  takeAll(): WorkflowTask[] {
    const all = [...this.queries, ...(this.task === undefined ? [] : [this.task]), ...this.queriesAfterTask];
    this.queries = [];
    this.task = undefined;
    this.queriesAfterTask = [];
    return all;
  }
}
