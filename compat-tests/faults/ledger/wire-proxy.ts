/** A proxy before Postgres that reads its protocol: statements are counted, and at one of them something happens. */
import { connect, createServer, type Socket } from 'node:net';

/** Before Postgres gets the statement, or after it has answered and before the answer arrives. */
export type Moment = 'before' | 'after';

export interface Point {
  /** The statement, from 1, counted since it was armed, over all connections: of those that count, by default all. */
  at: number;
  counts?(statement: Passed): boolean;
  moment: Moment;
  /** Told of the backend's process id; gives whether the statement (or its answer) still passes. */
  act(backend: number): boolean;
}

/** A statement as it passed. */
export interface Passed {
  text: string;
  /** `application_name` of the connection. */
  application: string;
  /** Types of the events among its parameters. */
  events: ReadonlySet<string>;
}

export interface WireProxy {
  url: string;
  /** Statements seen since the last `arm`. */
  readonly seen: Passed[];
  /** Counts anew; resolves with the statement when the point is reached. */
  arm(point?: Point): Promise<Passed>;
  /** Breaks the connection to that backend. */
  cut(backend: number): void;
  /** From now on nothing passes, in either direction, until `thaw`. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

const CANCEL_REQUEST = 80877102;

export async function wireProxy(target: () => string): Promise<WireProxy> {
  const sockets = new Set<Socket>();
  let seen: Passed[] = [];
  let armed: (Point & { reached(statement: Passed): void; generation: number }) | undefined;
  /** Counts `arm`: what was armed before does not happen any more, also when its statement has passed and its answer has not. */
  let generation = 0;
  let frozen: (() => void)[] | undefined;
  const links = new Map<number, () => void>();
  const pass = (send: () => void): void => void (frozen === undefined ? send() : frozen.push(send));

  const server = createServer((client) => {
    const to = new URL(target());
    const upstream = connect(Number(to.port), to.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        pass(() => (socket === client ? upstream : client).destroy());
      });
    }
    let backend = 0;
    let application = '';
    let statement: Passed = { text: '', application, events: NONE };
    const texts = new Map<string, string>();
    let unsent: Buffer[] = [];
    /** The point at whose answer something happens, once that is whole. */
    let awaited: typeof armed;
    let answer: Buffer[] = [];

    const toPostgres = (): void => {
      const bytes = Buffer.concat(unsent);
      unsent = [];
      pass(() => upstream.write(bytes));
    };
    client.on(
      'data',
      messages(true, (kind, message) => {
        unsent.push(message);
        if (kind === '') application = strings(message, 8)[1 + strings(message, 8).indexOf('application_name')] ?? '';
        else if (kind === 'P') {
          const [name, text] = strings(message);
          texts.set(name!, text!);
          statement = { text: text!, application, events: NONE };
        } else if (kind === 'B') {
          const text = texts.get(strings(message)[1]!) ?? statement.text;
          statement = { text, application, events: eventTypes(message) };
        } else if (kind === 'Q') statement = { text: strings(message)[0]!, application, events: NONE };
        if (kind !== 'Q' && kind !== 'S') {
          if (kind === '' || kind === 'p' || kind === 'X') toPostgres();
          return;
        }
        seen.push(statement);
        if (armed !== undefined && armed.counts?.(statement) !== false && --armed.at === 0) {
          const point = armed;
          armed = undefined;
          if (point.moment === 'after') awaited = point;
          else {
            const passes = point.act(backend);
            point.reached(statement);
            if (!passes) return void (unsent = []);
          }
        }
        toPostgres();
      }),
    );
    upstream.on(
      'data',
      messages(false, (kind, message) => {
        if (kind === 'K') {
          backend = message.readInt32BE(5);
          links.set(backend, () => [client, upstream].forEach((socket) => socket.destroy()));
        }
        if (awaited !== undefined && awaited.generation !== generation) {
          awaited = undefined;
          const held = Buffer.concat(answer);
          answer = [];
          pass(() => client.write(held));
        }
        if (awaited === undefined) return pass(() => client.write(message));
        answer.push(message);
        if (kind !== 'Z') return;
        const passes = awaited.act(backend);
        awaited.reached(statement);
        awaited = undefined;
        const bytes = Buffer.concat(answer);
        answer = [];
        if (passes) pass(() => client.write(bytes));
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target());
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  const thaw = (): void => {
    const held = frozen ?? [];
    frozen = undefined;
    for (const send of held) send();
  };
  return {
    url: url.href,
    get seen() {
      return seen;
    },
    arm(point) {
      seen = [];
      armed = undefined;
      generation++;
      return new Promise((reached) => {
        if (point !== undefined) armed = { ...point, reached, generation };
      });
    },
    cut: (backend) => links.get(backend)?.(),
    freeze: () => void (frozen ??= []),
    thaw,
    close() {
      thaw();
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Cuts a stream into messages: a kind, four bytes of length, the rest. A client's first one has no kind. */
function messages(first: boolean, take: (kind: string, message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let untyped = first;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = untyped ? 0 : 1;
      if (rest.length < head + 4) return;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      const cancels = untyped && length >= 8 && message.readInt32BE(4) === CANCEL_REQUEST;
      take(untyped ? '' : String.fromCharCode(message[0]!), message);
      untyped = cancels;
    }
  };
}

/** The texts that a message begins with. */
const strings = (message: Buffer, from = 5): string[] => message.subarray(from).toString('latin1').split('\0');

const NONE: ReadonlySet<string> = new Set();

const eventTypes = (message: Buffer): Set<string> =>
  new Set(Array.from(message.toString('latin1').matchAll(/"EVENT_TYPE_([A-Z_]+)"/g), ([, type]) => type!));
