-- Twenty objects that hang on the column. Plain ALTER TABLE would fail on most of them.

CREATE VIEW event_pages AS SELECT id, doc ->> 'page' AS page, doc FROM documents WHERE kind = 'event';
CREATE VIEW event_tests AS SELECT id, doc #>> '{test,variant}' AS variant FROM event_pages;
CREATE VIEW order_items AS
    SELECT d.id, item ->> 'sku' AS sku, item -> 'price' AS price
    FROM documents AS d, json_array_elements(d.doc -> 'items') AS item WHERE d.kind = 'order';
CREATE VIEW series_lengths AS
    SELECT id, json_array_length(doc -> 'values') AS length FROM documents WHERE kind = 'series';
CREATE VIEW document_keys AS SELECT id, json_object_keys(doc) AS key FROM documents;

ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_documents ON documents FOR SELECT USING (doc ->> 'user_id' = current_setting('app.user_id', true));
CREATE POLICY open_reports ON documents FOR SELECT USING (json_typeof(doc -> 'title') = 'string');

CREATE FUNCTION note_rewriting() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER note_documents AFTER UPDATE OF doc ON documents FOR EACH ROW EXECUTE FUNCTION note_rewriting();
CREATE TRIGGER note_coupons AFTER INSERT OR UPDATE ON documents FOR EACH ROW
    WHEN (NEW.doc ->> 'coupon' IS NOT NULL) EXECUTE FUNCTION note_rewriting();

ALTER TABLE documents ADD CONSTRAINT is_object CHECK (json_typeof(doc) = 'object');
ALTER TABLE documents ADD CONSTRAINT has_user CHECK (doc ->> 'user_id' IS NOT NULL);
ALTER TABLE documents ADD CONSTRAINT has_items CHECK (kind <> 'order' OR json_array_length(doc -> 'items') > 0);

CREATE INDEX documents_status ON documents ((doc ->> 'status')) WHERE doc ->> 'status' IS NOT NULL;
CREATE INDEX documents_sensor ON documents ((doc ->> 'sensor')) WHERE kind = 'series';
CREATE INDEX documents_variant ON documents ((doc #>> '{test,variant}'), created) WHERE kind = 'event';
CREATE UNIQUE INDEX documents_order ON documents (((doc ->> 'order')::bigint), id) WHERE kind = 'order';

CREATE STATISTICS document_users ON (doc ->> 'user_id'), kind FROM documents;
ALTER TABLE documents ALTER COLUMN doc SET DEFAULT '{"user_id": 0}';
CREATE FUNCTION user_of(bigint) RETURNS text STABLE BEGIN ATOMIC
    SELECT doc ->> 'user_id' FROM documents WHERE id = $1;
END;
CREATE RULE skip_drafts AS ON INSERT TO drafts
    WHERE EXISTS (SELECT FROM documents WHERE id = NEW.n AND doc ->> 'user_id' = NEW.doc ->> 'user_id')
    DO INSTEAD NOTHING;
ANALYZE documents;
