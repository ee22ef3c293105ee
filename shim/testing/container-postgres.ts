/** A Postgres in a container, by the package `testcontainers` of the application that asks for one. */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { BranchlineError } from '../common/branchline-error';
import { postgresReady } from '../store/postgres-ready';
import { throwawaySettings } from './throwaway-settings';

/** What is asked of the image: POSTGRES_PASSWORD is that of user postgres, the command is `postgres -c …`, and port 5432 listens. */
export const defaultImage = 'postgres:18';
const PORT = 5432;
const PATIENCE_MS = 60_000;

export interface PostgresContainer {
  /** postgres:// URL of a superuser. */
  readonly url: string;
  /** Ends this use; the container goes with the last one of this process. */
  release(): Promise<void>;
}

interface Running {
  url: string;
  stop(): Promise<unknown>;
}

/** One container of each image serves all environments of a process that are alive together. */
const containers = new Map<string, { running: Promise<Running>; users: number }>();

/**
 * @throws BranchlineError BRANCHLINE_TESTCONTAINERS without the package, without an engine, without the image, or when the server does not start
 */
export async function usePostgresContainer(image: string): Promise<PostgresContainer> {
  const shared = containers.get(image) ?? { running: start(image), users: 0 };
  containers.set(image, shared);
  shared.users += 1;
  const leave = async (): Promise<void> => {
    shared.users -= 1;
    if (shared.users > 0) return;
    containers.delete(image);
    await (await shared.running).stop();
  };
  try {
    const { url } = await shared.running;
    return { url, release: leave };
  } catch (error) {
    // It did not start: the next one tries again.
    if (containers.get(image) === shared) containers.delete(image);
    throw error;
  }
}

async function start(image: string): Promise<Running> {
  const { GenericContainer, Wait } = library();
  const password = randomBytes(18).toString('base64url');
  const settings = Object.entries(throwawaySettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    const container = await new GenericContainer(image)
      .withEnvironment({ POSTGRES_PASSWORD: password })
      .withCommand(['postgres', ...settings])
      .withExposedPorts(PORT)
      // Not by a health check: some engines (podman without systemd) never run one.
      .withWaitStrategy(Wait.forListeningPorts())
      .withStartupTimeout(PATIENCE_MS)
      .start();
    const url = `postgres://postgres:${password}@${container.getHost()}:${container.getMappedPort(PORT)}/postgres`;
    const failure = await postgresReady(url, Date.now() + PATIENCE_MS);
    if (failure !== undefined) {
      await container.stop();
      throw new Error(failure);
    }
    return { url, stop: () => container.stop() };
  } catch (error) {
    const { message } = error as Error;
    throw new BranchlineError('BRANCHLINE_TESTCONTAINERS', `No Postgres in a container of ${image}: ${message}`, {
      cause: error,
    });
  }
}

/** Test runners that have no import() of their own (jest) have require. */
function library(): typeof import('testcontainers') {
  try {
    return createRequire(__filename)('testcontainers') as typeof import('testcontainers');
  } catch (error) {
    throw new BranchlineError(
      'BRANCHLINE_TESTCONTAINERS',
      'postgres.testcontainers needs the package testcontainers: npm install --save-dev testcontainers@11',
      { cause: error },
    );
  }
}
