/** `branchline/envconfig`: the drop-in for @temporalio/envconfig, with a Postgres table in each profile. */
export {
  clientConfigToToml,
  fromTomlConfig,
  fromTomlProfile,
  loadClientConfig,
  loadClientConfigFromToml,
  loadClientConfigProfile,
  loadClientConnectConfig,
  loadConfigData,
  toClientOptions,
  toTomlConfig,
  toTomlProfile,
} from './profiles';
export type * from './types';
