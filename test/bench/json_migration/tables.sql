-- What the application has: its documents, the texts that it will write, and what it wrote of them.

CREATE TABLE documents (
    id bigint PRIMARY KEY,
    kind text NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    revision integer NOT NULL DEFAULT 0,
    doc json NOT NULL
);
CREATE TABLE drafts (n integer PRIMARY KEY, kind text NOT NULL, doc json NOT NULL);

-- The last draft that each row was given; without a draft the row was deleted.
CREATE TABLE written (number bigint GENERATED ALWAYS AS IDENTITY, id bigint NOT NULL, n integer);
