/** The router's own questions to its tables wait for Postgres only so long: a caller is told rather than kept. */
import { type GrpcError } from '../client/grpc-error';
import { Code, isGrpcError, refusal } from './errors';

const PATIENCE_MS = 5000;

/** @throws GrpcError UNAVAILABLE when Postgres does not answer in time */
export async function timely<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(away());
    }, PATIENCE_MS);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw isGrpcError(error) ? error : away(error);
  } finally {
    clearTimeout(timer);
  }
}

const away = (cause?: unknown): GrpcError =>
  refusal(
    Code.UNAVAILABLE,
    'BRANCHLINE_ROUTER_STORE_AWAY',
    `the Postgres that knows which engine has which id is out of reach${cause instanceof Error ? ` (${cause.message})` : ''}.`,
    cause,
  );
