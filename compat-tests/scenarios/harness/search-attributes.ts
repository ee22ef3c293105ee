/** Search attributes that the scenarios use, made on both engines by the same call. */
import { temporal } from '@temporalio/proto';
import { NAMESPACE, type Engine } from './engines';

const { IndexedValueType } = temporal.api.enums.v1;

const searchAttributes = {
  ScenarioKeyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  ScenarioText: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
  ScenarioInt: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  ScenarioDouble: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  ScenarioBool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  ScenarioDatetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  ScenarioKeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
};

export async function prepareNamespace({ connection, name }: Engine): Promise<void> {
  const { operatorService } = connection as unknown as {
    operatorService: import('@temporalio/client').OperatorService;
  };
  await operatorService.addSearchAttributes({ namespace: NAMESPACE, searchAttributes });
  // A real server takes some seconds until its services know.
  for (const limit = Date.now() + 30_000; Date.now() < limit;) {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace: NAMESPACE });
    if (Object.keys(searchAttributes).every((key) => key in customAttributes)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${name} does not know the search attributes`);
}
