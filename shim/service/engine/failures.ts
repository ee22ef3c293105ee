/** Failures that the server itself makes. */
import type { temporal } from '@temporalio/proto';
import type { Failure } from './types';

/** A timeout noticed by the service. */
export function timeoutFailure(message: string, timeoutType: temporal.api.enums.v1.TimeoutType): Failure {
  return { message, source: 'Server', timeoutFailureInfo: { timeoutType } };
}

/** A refusal of the service, for the workflow to see. */
export function serverFailure(message: string, nonRetryable: boolean): Failure {
  return { message, source: 'Server', serverFailureInfo: { nonRetryable } };
}

const MAXIMUM_CAUSES = 20;

/** The failure with its texts cut so that all of it stays within about `maximumSize` bytes; outer texts are kept before inner ones. */
export function truncateFailure(failure: Failure, maximumSize: number, depth = MAXIMUM_CAUSES): Failure {
  let left = maximumSize;
  const cut = (text: string | null | undefined): string => {
    const kept = cutUtf8(text ?? '', Math.max(0, left));
    if (kept !== '') left -= Buffer.byteLength(kept) + 4;
    return kept;
  };
  const shorter: Failure = {};
  const application = failure.applicationFailureInfo;
  if (application) {
    shorter.applicationFailureInfo = { nonRetryable: application.nonRetryable ?? false, type: cut(application.type) };
    left -= 8;
  } else if (failure.serverFailureInfo) {
    shorter.serverFailureInfo = { nonRetryable: failure.serverFailureInfo.nonRetryable ?? false };
    left -= 4;
  }
  shorter.source = cut(failure.source);
  shorter.message = cut(failure.message);
  shorter.stackTrace = cut(failure.stackTrace);
  if (failure.cause && left > 4 && depth > 0) shorter.cause = truncateFailure(failure.cause, left - 4, depth - 1);
  return shorter;
}

/** The longest prefix of whole characters within that many bytes. */
function cutUtf8(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.byteLength <= bytes) return text;
  let end = bytes;
  // A byte 10xxxxxx continues a character: do not cut before it.
  while (end > 0 && (encoded[end]! & 0xc0) === 0x80) end -= 1;
  return encoded.toString('utf8', 0, end);
}
