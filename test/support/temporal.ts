/** A real Temporal server for a test file, where the CLI that carries it is installed. */
import { afterAll, beforeAll, describe } from 'vitest';
import { type TemporalServer, startTemporal } from '../../compat-tests/scenarios/harness/temporal-server';
import { temporalCliOrSkip } from '../../compat-tests/temporal-cli';

/** `describe` with a server that is there while its tests run; skipped (but in CI) without the CLI. */
export function describeWithTemporal(name: string, body: (server: () => TemporalServer) => void): void {
  const cli = temporalCliOrSkip(name);
  describe.skipIf(cli === undefined)(name, { timeout: 90_000 }, () => {
    let server: TemporalServer;
    beforeAll(async () => {
      server = await startTemporal(cli!);
    });
    afterAll(() => server.stop());
    body(() => server);
  });
}
