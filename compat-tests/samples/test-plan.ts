/** The folders of temporalio/samples-typescript that have tests, and how those are run. Facts about the samples only: none of their code is here. */

export interface TestedSample {
  folder: string;
  /** Run one after the other in the folder; all must end with 0. Default: `npm test`. */
  commands?: string[];
  /** Uses other packages of Temporal's whose types speak of `@temporalio/worker`: the compiler is told that this is ours. */
  workerTypes?: boolean;
  /** Its plugins hook into webpack's configuration: workflow code is bundled by Temporal's own bundler, which comes with `@temporalio/worker`. */
  webpack?: boolean;
  /** Not run, and why. */
  skip?: string;
}

const nexus = 'Nexus is refused for now';

export const testedSamples: TestedSample[] = [
  { folder: 'activities-examples', workerTypes: true },
  { folder: 'ai-sdk', workerTypes: true },
  { folder: 'eager-workflow-start' },
  { folder: 'early-return' },
  { folder: 'empty' },
  { folder: 'hello-world' },
  { folder: 'langsmith', workerTypes: true, webpack: true },
  { folder: 'message-passing/introduction' },
  { folder: 'message-passing/safe-message-handlers' },
  { folder: 'mutex', commands: ['npm run build', 'npm test'] },
  { folder: 'nestjs-exchange-rates' },
  {
    folder: 'openai-agents',
    workerTypes: true,
    webpack: true,
    // All of `npm test` but nexus-tools: Nexus is refused for now.
    commands: [
      'npx mocha --exit --require ts-node/register --require source-map-support/register --ignore "src/nexus-tools/**" "src/*/mocha/*.test.ts"',
    ],
  },
  { folder: 'polling/infrequent' },
  { folder: 'sleep-for-days' },
  { folder: 'standalone-activity', skip: 'standalone activities are refused for now' },
  { folder: 'timer-examples' },
  { folder: 'workflow-streams', workerTypes: true },
  { folder: 'nexus-standalone-operations', skip: nexus },
];
