/** Who cannot read whom, and what follows for the routes. Pure. */
import type { PayloadParty } from '../../store/payload-types';

/** Starts on that task queue are not sent to that engine. */
export interface Mismatch {
  engine: string;
  namespace: string;
  taskQueue: string;
  /** Who cannot read whom, and what. */
  sentence: string;
}

/**
 * An engine is out of question for a task queue while one of its workers there and a client (of those given) cannot read each other; also, unless it is the
 * default engine, while one of its workers and one of another engine's on the same queue cannot.
 */
export function mismatches(parties: PayloadParty[], clients: string[], defaultEngine: string): Mismatch[] {
  const workers = parties.filter(({ engine }) => engine !== null);
  return workers.flatMap((worker) => {
    const { namespace, taskQueue } = worker;
    const engine = worker.engine!;
    const others = parties.filter(
      (other) =>
        (other.engine === null && clients.includes(other.id)) ||
        (other.engine !== null &&
          other.engine !== engine &&
          engine !== defaultEngine &&
          other.namespace === namespace &&
          other.taskQueue === taskQueue),
    );
    const sentences = others.flatMap((other) => [...unread(worker, other), ...unread(other, worker)]);
    return [...new Set(sentences)].map((sentence) => ({ engine, namespace, taskQueue, sentence }));
  });
}

/** Both directions of each pair are looked at by the caller. */
function unread(reader: PayloadParty, writer: PayloadParty): string[] {
  const why = reader.unreadable.find(({ id }) => id === writer.id)?.why;
  return why === undefined ? [] : [`${nameOf(reader)} cannot read what ${nameOf(writer)} writes (${why})`];
}

const nameOf = ({ engine, identity, taskQueue }: PayloadParty): string =>
  engine === null ? `the client ${identity}` : `the worker ${identity} of ${engine} on ${taskQueue}`;
