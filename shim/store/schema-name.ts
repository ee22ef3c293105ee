import { DatabaseConnectionError } from './errors';

/** Statements hold the name as it is. @throws DatabaseConnectionError for one that is not plain */
export function checkedSchema(schema: string = 'branchline'): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(schema)) {
    throw new DatabaseConnectionError(
      `Schema name ${JSON.stringify(schema)}: use letters, digits and underscores, at most 40, no digit first`,
    );
  }
  return schema;
}
