\set n random(1, 1000)
WITH added AS (INSERT INTO documents (id, kind, doc) SELECT nextval('ids'), kind, doc FROM drafts WHERE n = :n RETURNING id) INSERT INTO written (id, n) SELECT id, :n FROM added;
