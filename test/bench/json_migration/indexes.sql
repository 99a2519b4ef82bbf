CREATE INDEX documents_created ON documents (created);
CREATE INDEX documents_user ON documents ((doc ->> 'user_id'));
SELECT setval(pg_get_serial_sequence('written', 'number'), 1, false);
CREATE SEQUENCE ids;
SELECT setval('ids', (SELECT max(id) FROM documents));

-- By which the documents are recognised at the end, whichever type they have.
CREATE TABLE originals AS SELECT id, hashtextextended(doc::jsonb::text, 0) AS hash FROM documents;
VACUUM FREEZE ANALYZE documents, drafts, originals;
