/** What `branchline server --routed` serves: a Temporal server and our tables, by the routes. */
import type { ConnectionOptions as TemporalOptions } from '@temporalio/client';
import { Connection, type ConnectionOptions } from '../client/connection';
import { BranchlineError } from '../common/branchline-error';
import { RoutedConnection, routedService } from '../router';
import type { Service } from '../service/types';

export interface RoutedFlags {
  routed?: boolean;
  temporal?: string;
  temporalApiKey?: string;
  temporalTls?: boolean;
  temporalNamespace?: string;
  routes?: string;
}

export interface Served {
  /** Of our tables. */
  own: Service;
  /** What callers reach. */
  served: Pick<Service, 'call'>;
  close(): Promise<void>;
}

/** @throws BranchlineError BRANCHLINE_OPTION for flags that go without `--routed`, or a missing `--temporal` */
export function checkRoutedFlags(flags: RoutedFlags): void {
  const { routed, temporal, temporalTls, temporalNamespace, routes } = flags;
  if (routed === true && temporal === undefined) {
    throw new BranchlineError('BRANCHLINE_OPTION', '--routed needs --temporal <address>: the Temporal server beside.');
  }
  // The key may come from the environment, where it harms nobody.
  if (routed !== true && [temporal, temporalTls, temporalNamespace, routes].some((flag) => flag !== undefined)) {
    throw new BranchlineError('BRANCHLINE_OPTION', '--temporal… and --routes go with --routed.');
  }
}

export async function openRoutedService(postgres: ConnectionOptions, flags: RoutedFlags): Promise<Served> {
  const { temporal: address, temporalApiKey: apiKey, temporalTls, temporalNamespace: namespace, routes } = flags;
  const temporal: TemporalOptions = {
    ...(address === undefined ? {} : { address }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(temporalTls === true ? { tls: true } : {}),
  };
  const connection = await Connection.connect(postgres);
  try {
    const routed = await RoutedConnection.connect({
      engines: {
        temporal: { temporal, ...(namespace === undefined ? {} : { namespace }) },
        postgres: { postgres: connection },
      },
      ...(routes === undefined ? {} : { routes: { file: routes } }),
    });
    return {
      own: await connection.service(),
      served: routedService(routed),
      close: async () => {
        await routed.close();
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
