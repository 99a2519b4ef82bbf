\set id random(1, :rows)
SELECT doc FROM documents WHERE id = :id;
