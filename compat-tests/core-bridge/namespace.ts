/** Namespaces as Temporal's dev server is asked for them: by name, with search attributes on its command line. */
import { temporal } from '@temporalio/proto';
import type { Service } from '../../shim/service/types';

const { IndexedValueType } = temporal.api.enums.v1;
const retentionSeconds = 24 * 60 * 60;

/** `--search-attribute Name=Type`, as Temporal's CLI takes them; its other arguments are settings of that server. */
function searchAttributes(args: readonly string[]): Record<string, number> {
  const given = args.filter((_, index) => args[index - 1] === '--search-attribute');
  return Object.fromEntries(
    given.map((argument) => {
      const [name = '', type = ''] = argument.split('=');
      const constant = `INDEXED_VALUE_TYPE_${type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
      return [name, IndexedValueType[constant as keyof typeof IndexedValueType]] as const;
    }),
  );
}

/** The search attributes that the SDK's suite expects of a server, as arguments. */
export const suiteSearchAttributes = ['Int', 'Bool', 'Keyword', 'Text', 'Datetime', 'Double'].flatMap((type) => [
  '--search-attribute',
  `Custom${type}Field=${type}`,
]);

export async function prepareNamespace(
  service: Pick<Service, 'call'>,
  namespace: string,
  args: readonly string[],
): Promise<void> {
  const ctx = { metadata: {} };
  if (namespace !== 'default') {
    const workflowExecutionRetentionPeriod = { seconds: retentionSeconds };
    await service.call('registerNamespace', { namespace, workflowExecutionRetentionPeriod }, ctx);
  }
  const attributes = searchAttributes(args);
  if (Object.keys(attributes).length > 0) {
    await service.call('addSearchAttributes', { namespace, searchAttributes: attributes }, ctx);
  }
}
