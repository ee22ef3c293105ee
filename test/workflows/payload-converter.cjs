/** JSON in capitals, to be seen on both sides. */
const { DefaultPayloadConverter } = require('@temporalio/common');

class ShoutingConverter extends DefaultPayloadConverter {
  toPayload(value) {
    return super.toPayload(typeof value === 'string' ? value.toUpperCase() : value);
  }
}

exports.payloadConverter = new ShoutingConverter();
