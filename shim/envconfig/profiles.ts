/** Loading client configuration: Temporal's own reader, and the Postgres table beside what it knows. */
import {
  fromTomlProfile as temporalFromToml,
  loadConfigData as temporalLoadConfigData,
  toClientOptions as temporalToClientOptions,
  toTomlProfile as temporalToToml,
} from '@temporalio/envconfig';
import {
  configToTomlData,
  loadFromTomlData,
  tomlLoadClientConfig,
  tomlLoadClientConfigProfile,
  type TomlClientConfigProfile,
} from '@temporalio/envconfig/lib/envconfig-toml';
import { decode } from '@temporalio/common/lib/encoding';
import { checkPostgres, fromTomlPostgres, postgresOf, toTomlPostgres, type TomlPostgres } from './postgres';
import type {
  ClientConfig,
  ClientConfigFromTomlOptions,
  ClientConfigProfile,
  ClientConnectConfig,
  ConfigDataSource,
  LoadClientConfigOptions,
  LoadClientProfileOptions,
} from './types';

/** A profile as the file has it. */
type TomlProfile = TomlClientConfigProfile & { postgres?: TomlPostgres };
type TomlConfig = { profile: Record<string, TomlProfile> };

/** All profiles of the file; none where there is no file. @throws Error for a file that cannot be read */
export function loadClientConfig(options: LoadClientConfigOptions): ClientConfig {
  return fromTomlConfig(loadToml(options));
}

/** @throws Error for what is no TOML; with `strict`, for keys that are not known */
export function loadClientConfigFromToml(tomlData: Uint8Array, options: ClientConfigFromTomlOptions): ClientConfig {
  return fromTomlConfig(checked(loadFromTomlData(decode(tomlData), false), options.strict));
}

export function clientConfigToToml(config: ClientConfig): Uint8Array {
  return configToTomlData(toTomlConfig(config));
}

/**
 * One profile: environment variables (`TEMPORAL_…`, BRANCHLINE_URL, BRANCHLINE_SCHEMA) over the file.
 * @throws Error when a profile was asked for by name and is not there
 */
export function loadClientConfigProfile(options: LoadClientProfileOptions = {}): ClientConfigProfile {
  // Temporal's check does not know our table, so ours goes first and its own is left out.
  if (!options.disableFile) loadToml(options);
  const toml = tomlLoadClientConfigProfile({ ...options, configFileStrict: false }) as TomlProfile;
  const env = options.disableEnv ? {} : (options.overrideEnvVars ?? process.env);
  return withPostgres(temporalFromToml(toml), postgresOf(toml.postgres, env));
}

/** One profile, as what connections take. */
export function loadClientConnectConfig(options: LoadClientProfileOptions = {}): ClientConnectConfig {
  return toClientOptions(loadClientConfigProfile(options));
}

/**
 * Options of `Connection.connect` and `NativeConnection.connect` of Branchline. A profile without a Postgres table gives what Temporal's
 * gives: an address that is a Postgres URL is one, that of a Temporal server is refused by the connection.
 */
export function toClientOptions(profile: ClientConfigProfile): ClientConnectConfig {
  const { postgres, ...temporal } = profile;
  if (postgres === undefined) return temporalToClientOptions(temporal) as ClientConnectConfig;
  const { namespace, grpcMeta } = profile;
  return {
    namespace,
    connectionOptions: { ...postgres, ...(grpcMeta === undefined ? {} : { metadata: grpcMeta }) },
  };
}

export function fromTomlConfig({ profile }: TomlConfig): ClientConfig {
  return { profiles: mapValues(profile, fromTomlProfile) };
}

export function toTomlConfig({ profiles }: ClientConfig): TomlConfig {
  return { profile: mapValues(profiles, toTomlProfile) };
}

export function fromTomlProfile(toml: TomlProfile): ClientConfigProfile {
  return withPostgres(temporalFromToml(toml), fromTomlPostgres(toml.postgres));
}

export function toTomlProfile({ postgres, ...temporal }: ClientConfigProfile): TomlProfile {
  return withPostgres(temporalToToml(temporal), toTomlPostgres(postgres));
}

/** The bytes that a source stands for. */
export function loadConfigData(source?: ConfigDataSource): Uint8Array | undefined {
  return temporalLoadConfigData(source);
}

function loadToml({ configFileStrict = false, ...options }: LoadClientConfigOptions): TomlConfig {
  return checked(tomlLoadClientConfig({ ...options, configFileStrict: false }), configFileStrict);
}

/** The file's Postgres tables by our rules, the rest by Temporal's. */
function checked(toml: unknown, strict: boolean): TomlConfig {
  const config = toml as Partial<TomlConfig>;
  const withoutOurs = isTable(config.profile)
    ? mapValues(config.profile, (profile) => (isTable(profile) ? { ...profile, postgres: undefined } : profile))
    : config.profile;
  for (const [name, profile] of Object.entries(config.profile ?? {})) {
    if (profile.postgres !== undefined) checkPostgres(`profile.${name}`, profile.postgres, strict);
  }
  if (strict) loadFromTomlData(decode(configToTomlData({ ...config, profile: withoutOurs } as TomlConfig)), true);
  return { ...config, profile: config.profile ?? {} };
}

const isTable = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withPostgres<P extends object, T>(profile: P, postgres: T | undefined): P & { postgres?: T } {
  return postgres === undefined ? profile : { ...profile, postgres };
}

function mapValues<T, U>(values: Record<string, T>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value)]));
}
