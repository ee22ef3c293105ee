/** Profiles from TOML and environment, as Temporal's reader has them, and their Postgres table. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as temporal from '@temporalio/envconfig';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import {
  clientConfigToToml,
  loadClientConfig,
  loadClientConfigFromToml,
  loadClientConfigProfile,
  loadClientConnectConfig,
} from '../../shim/envconfig';
import { NativeConnection } from '../../shim/worker';
import { afterTest, freshSchema } from '../support/database';

const temporalOnly = `
[profile.default]
address = "localhost:7233"
namespace = "orders"
[profile.default.grpc_meta]
Some_Header = "x"
[profile.cloud]
address = "cloud:7233"
api_key = "secret"
[profile.cloud.tls]
server_name = "cloud"
client_cert_data = "cert"
client_key_data = "key"
`;
const withPostgres = `${temporalOnly}
[profile.default.postgres]
url = "postgres://app@localhost/app"
schema = "flows"
max_connections = 9
listen = false
`;
const data = (text: string): { data: string } => ({ data: text });
const empty = { XDG_CONFIG_HOME: '/nowhere' };

describe('client configuration', () => {
  it.each([
    ['a profile', { configSource: data(temporalOnly), overrideEnvVars: empty }],
    ['a named profile', { configSource: data(temporalOnly), profile: 'cloud', overrideEnvVars: empty }],
    ['no file', { overrideEnvVars: empty }],
    [
      'the environment over a profile',
      {
        configSource: data(temporalOnly),
        overrideEnvVars: {
          ...{
            TEMPORAL_PROFILE: 'cloud',
            TEMPORAL_ADDRESS: 'other:7233',
            TEMPORAL_NAMESPACE: 'n',
            TEMPORAL_TLS: 'false',
          },
          ...{ TEMPORAL_GRPC_META_A_B: 'c' },
        },
      },
    ],
    ['the environment alone', { disableFile: true, overrideEnvVars: { TEMPORAL_API_KEY: 'k' } }],
  ])("without a Postgres table is what Temporal's reader gives: %s", (_, options) => {
    expect(loadClientConfigProfile(options)).toEqual(temporal.loadClientConfigProfile(options));
    expect(loadClientConnectConfig(options)).toEqual(temporal.loadClientConnectConfig(options));
  });

  it("fails as Temporal's reader does", () => {
    const failing = [
      { configSource: data(temporalOnly), profile: 'missing' },
      { configSource: data('[profile.default]\nadress = "x"'), configFileStrict: true },
      { configSource: data('profile = 1'), configFileStrict: true },
      { configSource: data('not toml') },
      { disableFile: true, disableEnv: true },
    ];
    for (const options of failing) {
      const given = { ...options, overrideEnvVars: empty };
      const message = messageOf(() => temporal.loadClientConfigProfile(given));
      expect(messageOf(() => loadClientConfigProfile(given))).toBe(message);
    }
  });

  it('takes the Postgres table, and leaves the address to Temporal', () => {
    const options = { configSource: data(withPostgres), configFileStrict: true, overrideEnvVars: empty };
    expect(loadClientConfigProfile(options)).toMatchObject({
      address: 'localhost:7233',
      postgres: { url: 'postgres://app@localhost/app', schema: 'flows', maxConnections: 9, listen: false },
    });
    expect(loadClientConnectConfig(options)).toEqual({
      namespace: 'orders',
      connectionOptions: {
        ...{ url: 'postgres://app@localhost/app', schema: 'flows', maxConnections: 9, listen: false },
        metadata: { 'some-header': 'x' },
      },
    });
    const overrideEnvVars = { BRANCHLINE_URL: 'postgres://other/db', BRANCHLINE_SCHEMA: 'mine' };
    expect(loadClientConnectConfig({ ...options, overrideEnvVars }).connectionOptions).toMatchObject({
      ...{ url: 'postgres://other/db', schema: 'mine', maxConnections: 9 },
    });
    expect(loadClientConfigProfile({ ...options, overrideEnvVars, disableEnv: true }).postgres!.schema).toBe('flows');
  });

  it('refuses a Postgres table with other types, and strictly one with other keys', () => {
    const load = (table: string, configFileStrict = false) =>
      loadClientConfig({ configSource: data(`[profile.p.postgres]\n${table}`), configFileStrict });
    expect(() => load('url = 1')).toThrow('profile.p.postgres.url must be a string');
    expect(() => load('pool = 1', true)).toThrow('key(s) unrecognized in profile.p.postgres: pool');
    expect(load('pool = 1')).toEqual({ profiles: { p: { postgres: {} } } });
    expect(() => loadClientConfig({ configSource: data('[profile.p]\npostgres = "x"') })).toThrow('must be a table');
  });

  it('comes back from TOML as it was written', () => {
    const config = loadClientConfig({ configSource: data(withPostgres) });
    const again = loadClientConfigFromToml(clientConfigToToml(config), { strict: true });
    expect(again).toEqual(config);
    expect(again.profiles.default!.postgres!.maxConnections).toBe(9);
  });

  it('connects a client and a worker, from a file that TEMPORAL_CONFIG_FILE names', async () => {
    const { url, schema } = freshSchema();
    const directory = mkdtempSync(join(tmpdir(), 'branchline-envconfig-'));
    afterTest(() => Promise.resolve(rmSync(directory, { recursive: true })));
    const file = join(directory, `${randomUUID()}.toml`);
    writeFileSync(file, `[profile.app.postgres]\nurl = "${url}"\nschema = "${schema}"\n`);
    const overrideEnvVars = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'app' };
    const { connectionOptions } = loadClientConnectConfig({ overrideEnvVars });
    const connection = await Connection.connect(connectionOptions);
    afterTest(() => connection.close());
    const native = await NativeConnection.connect(connectionOptions);
    afterTest(() => native.close());
    const { namespaces } = await connection.workflowService.listNamespaces({});
    expect(namespaces.map(({ namespaceInfo }) => namespaceInfo!.name)).toEqual(['default']);
  });

  it('with the address of a Temporal server alone is refused by the connection', async () => {
    const { connectionOptions } = loadClientConnectConfig({
      disableFile: true,
      overrideEnvVars: { TEMPORAL_ADDRESS: 'localhost:7233' },
    });
    await expect(Connection.connect(connectionOptions)).rejects.toMatchObject({ option: 'address' });
  });
});

function messageOf(fails: () => unknown): string {
  try {
    fails();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('It did not fail');
}
