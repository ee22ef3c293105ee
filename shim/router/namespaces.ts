/** Namespaces that are missing on one side: said when it can be known, and in the words of the router when a start meets it. */
import type { Logger } from '@temporalio/common';
import type { Engines } from './engines';
import { Code, isGrpcError, isStatus, refusal } from './errors';
import { textMatches } from './routes/decide';
import type { Routes } from './routes/schema';

const ASK_MS = 5000;

export class Namespaces {
  private readonly met = new Set<string>();

  constructor(
    private readonly engines: Engines,
    private readonly routes: () => Routes,
    private readonly logger: Logger,
  ) {}

  /** Those that the routes name, and those that stand for the caller's on an engine. Never throws. */
  async lookAtNamed(): Promise<void> {
    const named = this.routes().rules.flatMap(({ namespace }) =>
      typeof namespace === 'string' ? [namespace] : Array.isArray(namespace) ? namespace : [],
    );
    await Promise.all([
      ...[...new Set(named)].map((namespace) => this.meet(namespace)),
      ...this.engines.all.map(({ name, namespace }) =>
        namespace === undefined ? undefined : this.warnUnlessThere(name, namespace),
      ),
    ]);
  }

  /** The first time that a namespace is used: is it where its workflows may go? Never throws. */
  async meet(namespace: string): Promise<void> {
    if (this.met.has(namespace)) return;
    this.met.add(namespace);
    await Promise.all(
      enginesFor(this.routes(), namespace)
        .filter((name) => this.engines.all.some((engine) => engine.name === name && engine.namespace === undefined))
        .map((name) => this.warnUnlessThere(name, namespace)),
    );
  }

  /** What the caller of a start is told: in the router's words when the namespace is missing on that engine and there on another one. */
  async refusalOf(engine: string, namespace: string, error: unknown): Promise<unknown> {
    if (!isMissingNamespace(error)) return error;
    const there = this.engines.get(engine).namespace ?? namespace;
    const others = this.engines.names.filter((name) => name !== engine);
    const found = await Promise.all(
      others.map((name) => this.has(name, this.engines.get(name).namespace ?? namespace)),
    );
    const having = others.filter((_, i) => found[i] === true);
    if (having.length === 0) return error;
    return refusal(
      Code.FAILED_PRECONDITION,
      'BRANCHLINE_ROUTER_NAMESPACE_MISSING',
      `engine '${engine}', where this start goes, has no namespace '${there}'; ${having.join(', ')} has it. Make it there, or route its workflows elsewhere.`,
      error,
    );
  }

  private async warnUnlessThere(engine: string, namespace: string): Promise<void> {
    if ((await this.has(engine, namespace)) !== false) return;
    this.logger.warn(
      `Engine '${engine}' has no namespace '${namespace}': starts that are routed to it there will be refused.`,
      { code: 'BRANCHLINE_ROUTER_NAMESPACE_MISSING', engine, namespace },
    );
  }

  /** Undefined: it did not say (away, closed, or we may not ask). */
  private async has(engine: string, namespace: string): Promise<boolean | undefined> {
    try {
      const { connection } = this.engines.get(engine);
      await connection.withDeadline(Date.now() + ASK_MS, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
      return true;
    } catch (error) {
      return isStatus(error, Code.NOT_FOUND) ? false : undefined;
    }
  }
}

/** What the engine does not know is then not known at all. */
export const isMissingNamespace = (error: unknown): boolean => {
  if (!isStatus(error, Code.NOT_FOUND) || !isGrpcError(error)) return false;
  const [status] = error.metadata?.get('grpc-status-details-bin') ?? [];
  return Buffer.isBuffer(status) && status.includes('NamespaceNotFoundFailure');
};

/** Engines that a start in the namespace may go to. Pure. */
export function enginesFor(routes: Routes, namespace: string): string[] {
  const engines = new Set<string>();
  for (const { engine, namespace: of, name: _name, movable, children: _children, ...others } of routes.rules) {
    if (of !== undefined && !textMatches(of, namespace)) continue;
    engines.add(engine);
    if (movable === true && engine === routes.guard?.from) engines.add(routes.guard.to);
    // It takes all of them: the rules below it are for others.
    if (Object.values(others).every((condition) => condition === undefined)) return [...engines];
  }
  return [...engines.add(routes.default)];
}
