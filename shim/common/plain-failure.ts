/** Failures without classes. An error that came from a server carries that server's message, and whoever throws it on hands the message on. */
import { temporal } from '@temporalio/proto';

const { Failure } = temporal.api.failure.v1;

/** Plain objects all the way down, as everything in the service is. */
export function plainFailure(failure: temporal.api.failure.v1.IFailure): temporal.api.failure.v1.IFailure {
  return (Failure as unknown as { toObject(message: object, options: object): object }).toObject(
    Failure.fromObject(failure),
    { longs: Number },
  );
}
