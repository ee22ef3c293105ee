/** Table `history`: one row per commit. Written by `commit_batch`. */
import { epochMs } from './epoch';

export const history = (s: string) => ({
  read: `SELECT events::text AS events FROM ${s}.history
    WHERE run_id = $1 AND first_event_id <= $3
      AND first_event_id >= coalesce((SELECT max(first_event_id) FROM ${s}.history WHERE run_id = $1 AND first_event_id <= $2), 0)
    ORDER BY first_event_id`,
  // As `read`, with rows while the ones before them hold less than $4 bytes. At most 1000, so that a page of a long history unpacks no more.
  readPage: `SELECT events FROM (
      SELECT first_event_id, events, sum(octet_length(events)) OVER (ORDER BY first_event_id) - octet_length(events) AS before
      FROM (
        SELECT first_event_id, events::text AS events FROM ${s}.history
        WHERE run_id = $1 AND first_event_id <= $3
          AND first_event_id >= coalesce((SELECT max(first_event_id) FROM ${s}.history WHERE run_id = $1 AND first_event_id <= $2), 0)
        ORDER BY first_event_id LIMIT 1000
      ) page
    ) sized WHERE before < $4 ORDER BY first_event_id`,
  firstTasksByBuildId: `SELECT DISTINCT ON (1, 2) * FROM (
      SELECT coalesce(t.attributes -> 'workerVersion' ->> 'buildId', '') AS "buildId",
        coalesce(t.attributes ->> 'binaryChecksum', '') AS "binaryChecksum",
        (e.event ->> 'eventId')::integer AS "eventId",
        ${epochMs("(e.event ->> 'eventTime')::timestamptz")} AS "atMs"
      FROM ${s}.history h CROSS JOIN LATERAL json_array_elements(h.events) AS e(event)
        CROSS JOIN LATERAL (SELECT e.event -> 'workflowTaskCompletedEventAttributes') AS t(attributes)
      WHERE h.run_id = $1 AND h.last_event_id > $2 AND t.attributes IS NOT NULL
    ) completed WHERE "buildId" <> '' OR "binaryChecksum" <> '' ORDER BY 1, 2, 3`,
  // The newest rows that hold $2 events.
  readLast: `SELECT events FROM (
      SELECT first_event_id, events::text AS events,
        sum(last_event_id - first_event_id + 1) OVER (ORDER BY first_event_id DESC) - (last_event_id - first_event_id + 1) AS later
      FROM (SELECT * FROM ${s}.history WHERE run_id = $1 ORDER BY first_event_id DESC LIMIT $2) newest
    ) counted WHERE later < $2 ORDER BY first_event_id`,
});
