/** Ours: which Postgres a test environment uses. */
import { BranchlineOptionError } from '../common/errors';
import { defaultImage } from './container-postgres';

export interface TestPostgresOptions {
  /**
   * A server (and database) whose user may create schemas: each environment gets its own schema, dropped at teardown. Default:
   * `BRANCHLINE_TEST_URL`, else an embedded Postgres that the test processes of this user share.
   */
  url?: string;
  /**
   * A container that the environments of this process share, by the package `testcontainers` (11) of the application and the engine that it
   * finds. Default false; true is `{ image: 'postgres:18' }`.
   */
  testcontainers?: boolean | TestContainerOptions;
}

export interface TestContainerOptions {
  /** The official image of Postgres 14 to 18, or one that is started as that is. Default `postgres:18`. */
  image?: string;
}

/** One of them, or neither: then the shared embedded Postgres. */
export interface PostgresPlace {
  url?: string;
  image?: string;
}

/** @throws BranchlineOptionError for options that are not there, or that contradict each other */
export function postgresPlace(options: TestPostgresOptions, env: NodeJS.ProcessEnv = process.env): PostgresPlace {
  const { url, testcontainers = false, ...rest } = options;
  refuseOthers('postgres', rest, 'give `url`, `testcontainers`, or nothing for an embedded Postgres.');
  if (testcontainers === false) {
    const given = url ?? env.BRANCHLINE_TEST_URL;
    return given === undefined || given === '' ? {} : { url: given };
  }
  if (url !== undefined) {
    throw new BranchlineOptionError('postgres.testcontainers', '`url` names a server already; give one of the two.');
  }
  const { image = defaultImage, ...others } = testcontainers === true ? {} : testcontainers;
  refuseOthers('postgres.testcontainers', others, 'give `image`, or true.');
  return { image };
}

function refuseOthers(where: string, options: object, advice: string): void {
  for (const name of Object.keys(options)) throw new BranchlineOptionError(`${where}.${name}`, advice);
}
