/** Tables `namespaces` and `search_attributes`. */
import { epochMs } from './epoch';

const columns = `id, uuid, name, description, owner_email, retention_ms::float8 AS retention_ms, state,
  ${epochMs('created_at')} AS created_ms, data`;

export const namespaces = (s: string) => ({
  all: `SELECT ${columns} FROM ${s}.namespaces ORDER BY id`,
  byUuid: `SELECT ${columns} FROM ${s}.namespaces WHERE uuid = $1`,
  create: `INSERT INTO ${s}.namespaces (uuid, name, description, owner_email, retention_ms, state, data)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING ${columns}`,
  update: `UPDATE ${s}.namespaces SET name = $2, description = $3, owner_email = $4, retention_ms = $5, state = $6, data = $7 WHERE id = $1`,
  searchAttributes: `SELECT name, type FROM ${s}.search_attributes WHERE namespace_id = $1`,
  addSearchAttributes: `INSERT INTO ${s}.search_attributes (namespace_id, name, type)
    SELECT $1, a.name, a.type FROM unnest($2::text[], $3::int2[]) AS a(name, type)
    ON CONFLICT (namespace_id, name) DO UPDATE SET type = excluded.type`,
  removeSearchAttributes: `DELETE FROM ${s}.search_attributes WHERE namespace_id = $1 AND name = ANY ($2)`,
});
