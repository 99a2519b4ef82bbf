\set id random(1, :rows)
UPDATE documents SET revision = revision + 1 WHERE id = :id;
