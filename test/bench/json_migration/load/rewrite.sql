\set id random(1, :rows)
\set n random(1, 1000)
WITH changed AS (UPDATE documents SET doc = (SELECT doc FROM drafts WHERE n = :n), revision = revision + 1 WHERE id = :id RETURNING id) INSERT INTO written (id, n) SELECT id, :n FROM changed;
