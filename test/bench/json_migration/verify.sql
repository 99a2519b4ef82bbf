-- Rows that are lost, too many or wrong: each is to have its last draft, or what it had at first.
WITH last AS (SELECT DISTINCT ON (id) id, n FROM written ORDER BY id, number DESC),
expected AS (
    SELECT id, CASE WHEN last.id IS NULL THEN o.hash ELSE hashtextextended(d.doc::jsonb::text, 0) END AS hash
    FROM originals AS o FULL JOIN last USING (id) LEFT JOIN drafts AS d ON d.n = last.n
    WHERE last.id IS NULL OR last.n IS NOT NULL
)
SELECT count(*) AS rows, count(*) FILTER (WHERE d.id IS NULL) AS lost, count(*) FILTER (WHERE e.id IS NULL) AS too_many,
    count(*) FILTER (WHERE e.hash <> d.hash) AS wrong, bool_and(d.type = 'jsonb'::regtype) AS jsonb
FROM expected AS e
FULL JOIN (SELECT id, hashtextextended(doc::jsonb::text, 0) AS hash, pg_typeof(doc) AS type FROM documents) AS d USING (id)
