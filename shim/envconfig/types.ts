/** Temporal's types of client configuration, and the part of a profile that is Branchline's own. */
import type { Metadata } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow';
import type { DatabaseOptions } from '../service/connect-options';

/** A file, or its contents. */
export type ConfigDataSource = { path: string } | { data: string | Uint8Array };

export interface ClientConfigTLS {
  disabled?: boolean;
  serverName?: string;
  clientCert?: ConfigDataSource;
  clientKey?: ConfigDataSource;
  serverCACert?: ConfigDataSource;
}

/** The table `[profile.NAME.postgres]`; in the file `max_connections`, otherwise the same names. */
export type ClientConfigPostgres = Pick<DatabaseOptions, 'url' | 'schema' | 'maxConnections' | 'listen'>;

export interface ClientConfigProfile {
  address?: string;
  namespace?: string;
  apiKey?: string;
  tls?: ClientConfigTLS;
  grpcMeta?: Record<string, string>;
  /** Ours. Where it is given, `address`, `apiKey` and `tls` are those of a Temporal server beside it, and not used here. */
  postgres?: ClientConfigPostgres;
}

export interface ClientConfig {
  profiles: Record<string, ClientConfigProfile>;
}

/** What `Connection.connect` and `NativeConnection.connect` of Branchline take, and the client's namespace. */
export interface ClientConnectConfig {
  connectionOptions: Pick<DatabaseOptions, 'address' | keyof ClientConfigPostgres> & {
    apiKey?: string;
    tls?: TLSConfig | boolean | null;
    metadata?: Metadata;
  };
  namespace?: string;
}

export interface LoadClientConfigOptions {
  /** Instead of TEMPORAL_CONFIG_FILE or the default place (`~/.config/temporalio/temporal.toml` on Linux). */
  configSource?: ConfigDataSource;
  /** Throw for keys that are not known. Default false. */
  configFileStrict?: boolean;
  /** Instead of the process's environment. */
  overrideEnvVars?: Record<string, string>;
}

export interface LoadClientProfileOptions extends LoadClientConfigOptions {
  /** Default: TEMPORAL_PROFILE, then `default`. */
  profile?: string;
  /** Look at no file, unless `configSource` names one. */
  disableFile?: boolean;
  /** Look at no environment variables. */
  disableEnv?: boolean;
}

export interface ClientConfigFromTomlOptions {
  /** Throw for keys that are not known. */
  strict: boolean;
}
