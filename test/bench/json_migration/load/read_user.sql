\set user random(1, :rows / 10)
SELECT id, kind, doc ->> 'status' FROM documents WHERE doc ->> 'user_id' = (:user)::text;
