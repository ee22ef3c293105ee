/** A scripted worker's workflow that takes updates. */
import { temporal } from '@temporalio/proto';
import { type Decision, type Script, complete, decoded, payloads } from './scripted-worker';

const { Acceptance, Rejection, Request, Response } = temporal.api.update.v1;
const { CommandType } = temporal.api.enums.v1;
type Message = temporal.api.protocol.v1.IMessage;
type IRequest = temporal.api.update.v1.IRequest;

const body = (type: string, value: Uint8Array): Message['body'] => ({
  type_url: `type.googleapis.com/temporal.api.update.v1.${type}`,
  value,
});
const command = (messageId: string): NonNullable<Decision['commands']>[number] => ({
  commandType: CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
  protocolMessageCommandAttributes: { messageId },
});

/** What to do with an update, by its name: `add` is done, `bad` rejected, `open` accepted only, `fail` fails, `finish` closes the workflow. */
export const handleUpdates: Script = (task) => {
  const messages: Message[] = [];
  const commands: NonNullable<Decision['commands']> = [];
  for (const message of task.messages ?? []) {
    const request = Request.decode(message.body?.value ?? new Uint8Array());
    const id = message.protocolInstanceId ?? '';
    const name = request.input?.name;
    const add = (kind: string, value: Uint8Array): void => {
      messages.push({ id: `${id}/${kind}`, protocolInstanceId: id, body: body(kind, value) });
      // A rejection has no place in history, hence no command.
      if (kind !== 'Rejection') commands.push(command(`${id}/${kind}`));
    };
    const ref = { acceptedRequestMessageId: message.id, acceptedRequestSequencingEventId: message.eventId };
    if (name === 'bad') {
      const failure = { message: 'not this', applicationFailureInfo: { type: 'Error' } };
      add(
        'Rejection',
        Rejection.encode({ rejectedRequestMessageId: message.id, failure, rejectedRequest: request }).finish(),
      );
      continue;
    }
    add('Acceptance', Acceptance.encode({ ...ref, acceptedRequest: request }).finish());
    if (name === 'open') continue;
    if (name === 'finish') {
      commands.push(complete('bye'));
      continue;
    }
    const outcome =
      name === 'fail' ? { failure: { message: 'broken', applicationFailureInfo: {} } } : { success: sum(request) };
    add('Response', Response.encode({ meta: request.meta, outcome }).finish());
  }
  return { messages, commands };
};

function sum(request: IRequest): ReturnType<typeof payloads> {
  const numbers = (request.input?.args?.payloads ?? []).map((payload) => Number(decoded(payload)));
  return payloads(numbers.reduce((a, b) => a + b, 0));
}
