\set id random(1, :rows)
WITH removed AS (DELETE FROM documents WHERE id = :id RETURNING id) INSERT INTO written (id) SELECT id FROM removed;
