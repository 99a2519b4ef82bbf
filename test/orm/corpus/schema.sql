-- The library that all clients of the corpus work on. Every client starts from these rows: the runner makes a fresh
-- database of it for each, and clients map these tables, they do not make their own.

CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE authors (
	id bigint PRIMARY KEY, country_code text NOT NULL REFERENCES countries, name text NOT NULL,
	active boolean NOT NULL DEFAULT true);
CREATE INDEX ON authors (country_code);
CREATE TABLE biographies (
	id integer PRIMARY KEY, author_id bigint NOT NULL UNIQUE REFERENCES authors, body text NOT NULL);
CREATE TABLE books (
	id uuid PRIMARY KEY, number integer NOT NULL UNIQUE, author_id bigint NOT NULL REFERENCES authors,
	title text NOT NULL, published boolean NOT NULL, price numeric(8, 2) NOT NULL);
CREATE INDEX ON books (author_id);
CREATE TABLE chapters (
	id serial PRIMARY KEY, book_id uuid NOT NULL REFERENCES books, position integer NOT NULL, title text NOT NULL);
CREATE INDEX ON chapters (book_id);
CREATE TABLE tags (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE book_tags (
	book_id uuid NOT NULL REFERENCES books, tag_id integer NOT NULL REFERENCES tags, PRIMARY KEY (book_id, tag_id));
CREATE TABLE shelves (id integer PRIMARY KEY, parent_id integer REFERENCES shelves, name text NOT NULL);
CREATE INDEX ON shelves (parent_id);
CREATE TABLE readers (id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE);
CREATE TABLE loans (
	id serial PRIMARY KEY, reader_id integer NOT NULL REFERENCES readers, book_id uuid NOT NULL REFERENCES books,
	day date NOT NULL);
CREATE INDEX ON loans (reader_id);
CREATE TABLE orders (id integer PRIMARY KEY, reader_id integer NOT NULL REFERENCES readers);
CREATE TABLE order_lines (
	order_id integer NOT NULL REFERENCES orders, line integer NOT NULL, title text NOT NULL, quantity integer NOT NULL,
	PRIMARY KEY (order_id, line));
CREATE TABLE jobs (id serial PRIMARY KEY, state text NOT NULL, payload text NOT NULL);
CREATE TABLE events (id bigserial PRIMARY KEY, kind text NOT NULL, created_at timestamptz NOT NULL);
CREATE INDEX ON events (created_at);
CREATE TABLE workers (name text PRIMARY KEY, seen_at timestamptz NOT NULL);
CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL);

INSERT INTO countries SELECT 'country-' || n, 'Country ' || n FROM generate_series(1, 10) AS n;
INSERT INTO authors SELECT n, 'country-' || n, 'Author ' || n FROM generate_series(1, 10) AS n;
INSERT INTO biographies SELECT 100 + n, n, 'Born in ' || 1900 + n FROM generate_series(1, 10) AS n;
-- Nine books of each author; the first of them have numbers 1, 10, 19 and so on.
INSERT INTO books
	SELECT md5(n::text)::uuid, n, (n - 1) / 9 + 1, 'Book ' || n, n % 3 <> 0, n + 0.5 FROM generate_series(1, 90) AS n;
INSERT INTO chapters (book_id, position, title)
	SELECT b.id, p, 'Chapter ' || p FROM books AS b, generate_series(1, 2) AS p ORDER BY b.number, p;
INSERT INTO tags SELECT n, 'tag-' || n FROM generate_series(1, 5) AS n;
INSERT INTO book_tags SELECT b.id, 1 + (b.number + k) % 5 FROM books AS b, generate_series(0, 1) AS k;
-- A tree: the library (1), its six rooms (11 to 16), six shelves in each (111 to 166).
INSERT INTO shelves VALUES (1, NULL, 'Library');
INSERT INTO shelves SELECT 10 + r, 1, 'Room ' || r FROM generate_series(1, 6) AS r;
INSERT INTO shelves SELECT 100 + 10 * r + s, 10 + r, 'Shelf ' || s FROM generate_series(1, 6) AS r, generate_series(1, 6) AS s;
INSERT INTO readers SELECT n, 'Reader ' || n, 'reader' || n || '@example.org' FROM generate_series(1, 600) AS n;
INSERT INTO loans (reader_id, book_id, day)
	SELECT r, md5((1 + (r + k) % 90)::text)::uuid, DATE '2026-01-01' + r % 300
	FROM generate_series(1, 600) AS r, generate_series(0, 1) AS k ORDER BY r, k;
INSERT INTO orders SELECT n, n FROM generate_series(1, 30) AS n;
INSERT INTO order_lines SELECT n, k, 'Line ' || k, k FROM generate_series(1, 30) AS n, generate_series(1, 3) AS k;
INSERT INTO jobs (state, payload) SELECT 'waiting', 'payload ' || n FROM generate_series(1, 60) AS n;
INSERT INTO events (kind, created_at)
	SELECT 'kind-' || n % 7, TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '12 hours' FROM generate_series(1, 600) AS n;
INSERT INTO workers SELECT 'worker-' || n, TIMESTAMPTZ '2026-01-01 00:00+00' FROM generate_series(1, 4) AS n;
INSERT INTO settings SELECT 'setting-' || n, 'value ' || n FROM generate_series(1, 12) AS n;
ANALYZE;
