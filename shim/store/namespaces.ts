/** Namespaces and their search attributes in Postgres. See types.ts for the contract of each call. */
import type { Connections } from './connections';
import { NamespaceExistsError } from './errors';
import { namespaceRow, type NamespaceRecord } from './rows';
import { namespaces } from './sql/namespaces';
import { prepareStatements } from './statement';
import type { NamespaceRow, NamespaceStore } from './types';

export class PostgresNamespaces implements NamespaceStore {
  private readonly sql;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
  ) {
    this.sql = prepareStatements(schema, 'namespaces', namespaces(`"${schema}"`), prepared);
  }

  async all(): Promise<NamespaceRow[]> {
    return (await this.connections.query<NamespaceRecord>(this.sql.all, [])).map(namespaceRow);
  }

  async create(row: Omit<NamespaceRow, 'id' | 'createdMs'>): Promise<NamespaceRow> {
    const values = [row.uuid, ...changeable(row)];
    const [created] = await this.connections.query<NamespaceRecord>(this.sql.create, values);
    if (created !== undefined) return namespaceRow(created);
    const [same] = await this.connections.query<NamespaceRecord>(this.sql.byUuid, [row.uuid]);
    if (same?.name !== row.name) throw new NamespaceExistsError(row.name);
    return namespaceRow(same);
  }

  async update(row: NamespaceRow): Promise<void> {
    await this.connections.query(this.sql.update, [row.id, ...changeable(row)]);
  }

  async searchAttributeTypes(namespaceId: number): Promise<Record<string, number>> {
    const values = [namespaceId];
    const rows = await this.connections.query<{ name: string; type: number }>(this.sql.searchAttributes, values);
    return Object.fromEntries(rows.map(({ name, type }) => [name, type]));
  }

  async addSearchAttributes(namespaceId: number, attributes: Record<string, number>): Promise<void> {
    const values = [namespaceId, Object.keys(attributes), Object.values(attributes)];
    await this.connections.query(this.sql.addSearchAttributes, values);
  }

  async removeSearchAttributes(namespaceId: number, names: string[]): Promise<void> {
    await this.connections.query(this.sql.removeSearchAttributes, [namespaceId, names]);
  }
}

const changeable = (row: Omit<NamespaceRow, 'id' | 'createdMs' | 'uuid'>): unknown[] => [
  row.name,
  row.description,
  row.ownerEmail,
  row.retentionMs,
  row.state,
  JSON.stringify(row.data),
];
