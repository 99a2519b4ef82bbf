// node-postgres: SQL by hand, with a pool.

import pg from 'pg';
import Cursor from 'pg-cursor';
import { check, chunks, event, ids, main, months, settings, sleep } from './common.mjs';

function connect(max) {
  const { applicationName, ...connection } = settings('node-postgres');
  return new pg.Pool({ ...connection, application_name: applicationName, max });
}

async function transaction(pool, work) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function rows(db, text, values) {
  return (await db.query(text, values)).rows;
}

async function row(db, text, values) {
  return (await rows(db, text, values))[0];
}

const allAuthors = (db) => rows(db, 'SELECT * FROM authors ORDER BY id');
const booksOf = (db, author) => rows(db, 'SELECT * FROM books WHERE author_id = $1 ORDER BY number', [author.id]);
const chaptersOf = (db, book) => rows(db, 'SELECT * FROM chapters WHERE book_id = $1 ORDER BY position', [book.id]);
const biographyOf = (db, author) => row(db, 'SELECT * FROM biographies WHERE author_id = $1', [author.id]);
const loansOf = (db, reader) => rows(db, 'SELECT * FROM loans WHERE reader_id = $1', [reader.id]);
const readerById = (db, id) => row(db, 'SELECT id, name, email FROM readers WHERE id = $1', [id]);
const insertEvent = (db, { kind, createdAt }) =>
  row(db, 'INSERT INTO events (kind, created_at) VALUES ($1, $2) RETURNING id', [kind, createdAt]);

async function lazyToMany(db) {
  let count = 0;
  for (const author of await allAuthors(db)) {
    count += (await booksOf(db, author)).length;
  }
  check(count, 90);
}

async function nested(db) {
  let count = 0;
  for (const author of await allAuthors(db)) {
    for (const book of await booksOf(db, author)) {
      count += (await chaptersOf(db, book)).length;
    }
  }
  check(count, 180);
}

async function updateLoop(db) {
  const readers = await rows(db, 'SELECT * FROM readers WHERE id <= 20');
  for (const reader of readers) {
    const { rowCount } = await db.query('UPDATE readers SET name = $1 WHERE id = $2', [`${reader.name}!`, reader.id]);
    check(rowCount, 1);
  }
  check(readers.length, 20);
}

async function request(db, n) {
  const reader = await readerById(db, 5 * n);
  const loans = await loansOf(db, reader);
  const book = await row(db, 'SELECT * FROM books WHERE id = $1', [loans[0].book_id]);
  check(book.title.startsWith('Book'), true);
}

const scenarios = {
  async lazy_to_one(db) {
    const books = await rows(db, 'SELECT * FROM books WHERE number % 9 = 1');
    for (const book of books) {
      const author = await row(db, 'SELECT * FROM authors WHERE id = $1', [book.author_id]);
      check(author.id, book.author_id);
    }
    check(books.length, 10);
  },

  lazy_to_many: lazyToMany,
  lazy_to_many_in_transaction: (db) => transaction(db, lazyToMany),
  nested,
  nested_in_transaction: (db) => transaction(db, nested),

  async one_to_one(db) {
    for (const author of await allAuthors(db)) {
      check((await biographyOf(db, author)).author_id, author.id);
    }
  },

  async text_key(db) {
    for (const author of await allAuthors(db)) {
      const country = await row(db, 'SELECT name FROM countries WHERE code = $1', [author.country_code]);
      check(country.name.startsWith('Country'), true);
    }
  },

  async uuid_key(db) {
    const books = await rows(db, 'SELECT id, title FROM books WHERE number <= $1 ORDER BY number', [20]);
    for (const book of books) {
      check((await chaptersOf(db, book)).length, 2);
    }
    check(books.length, 20);
  },

  async many_to_many(db) {
    const books = await rows(db, 'SELECT * FROM books WHERE number <= 12');
    for (const book of books) {
      const tags = await rows(
        db,
        'SELECT t.* FROM tags t JOIN book_tags bt ON bt.tag_id = t.id WHERE bt.book_id = $1',
        [book.id],
      );
      check(tags.length, 2);
    }
    check(books.length, 12);
  },

  async counts(db) {
    for (const author of await allAuthors(db)) {
      const { count } = await row(db, 'SELECT COUNT(*) FROM books WHERE author_id = $1', [author.id]);
      check(count, '9');
    }
  },

  async sums(db) {
    for (const author of await allAuthors(db)) {
      const { total } = await row(db, 'SELECT SUM(price) AS total FROM books WHERE author_id = $1', [author.id]);
      check(Number(total) > 0, true);
    }
  },

  async exists(db) {
    for (const author of await allAuthors(db)) {
      const { exists } = await row(db, 'SELECT EXISTS (SELECT 1 FROM books WHERE author_id = $1)', [author.id]);
      check(exists, true);
    }
  },

  async filtered_children(db) {
    for (const author of await allAuthors(db)) {
      const published = await rows(db, 'SELECT * FROM books WHERE author_id = $1 AND published = true', [author.id]);
      check(published.length, 6);
    }
  },

  async first_per_parent(db) {
    for (const author of await allAuthors(db)) {
      const book = await row(db, 'SELECT * FROM books WHERE author_id = $1 ORDER BY number DESC LIMIT 1', [author.id]);
      check(book.number, 9 * author.id);
    }
  },

  async tree_walk(db) {
    async function walk(parent) {
      let count = 1;
      for (const shelf of await rows(db, 'SELECT id, name FROM shelves WHERE parent_id = $1', [parent])) {
        count += await walk(shelf.id);
      }
      return count;
    }
    check(await walk(1), 43);
  },

  async large_loop(db) {
    let count = 0;
    for (const reader of await rows(db, 'SELECT * FROM readers WHERE id <= 500')) {
      count += (await loansOf(db, reader)).length;
    }
    check(count, 1000);
  },

  async repeated_pages(db) {
    for (const page of ids(5, 0)) {
      await sleep(page > 0 ? 100 : 0);
      const readers = await rows(db, 'SELECT * FROM readers WHERE id BETWEEN $1 AND $2', [6 * page + 1, 6 * page + 6]);
      for (const reader of readers) {
        check((await loansOf(db, reader)).length, 2);
      }
      check(readers.length, 6);
    }
  },

  async two_loops_on_a_page(db) {
    for (const author of await allAuthors(db)) {
      check((await biographyOf(db, author)).author_id, author.id);
      const { count } = await row(db, 'SELECT count(*)::int FROM books WHERE author_id = $1', [author.id]);
      check(count, 9);
    }
  },

  async lookup_loop(db) {
    for (const id of ids(30).map((n) => 3 * n)) {
      check((await readerById(db, id)).id, id);
    }
  },

  async lookup_loop_by_email(db) {
    for (const email of ids(25).map((n) => `reader${n}@example.org`)) {
      check((await row(db, 'SELECT * FROM readers WHERE email = $1', [email])).email, email);
    }
  },

  async composite_lookup(db) {
    for (const order of ids(15)) {
      const line = await row(db, 'SELECT * FROM order_lines WHERE order_id = $1 AND line = $2', [order, 2]);
      check(line.title, 'Line 2');
    }
  },

  async duplicates(db) {
    for (const _ of ids(20)) {
      const setting = await row(db, 'SELECT value FROM settings WHERE name = $1', ['setting-3']);
      check(setting.value, 'value 3');
    }
  },

  async same_parent(db) {
    const chapters = await rows(
      db,
      `SELECT c.*, b.author_id FROM chapters c JOIN books b ON b.id = c.book_id
        WHERE b.author_id = $1 ORDER BY b.number, c.position`,
      [1],
    );
    for (const chapter of chapters) {
      const author = await row(db, 'SELECT * FROM authors WHERE id = $1', [chapter.author_id]);
      check(author.name, 'Author 1');
    }
    check(chapters.length, 18);
  },

  async insert_loop(db) {
    for (const n of ids(20)) {
      check(Number((await insertEvent(db, event(n))).id) > 600, true);
    }
  },

  insert_loop_in_transaction: (db) =>
    transaction(db, async (client) => {
      for (const n of ids(20)) {
        await client.query('INSERT INTO events (kind, created_at) VALUES ($1, NOW())', [event(n).kind]);
      }
    }),

  update_loop: updateLoop,
  update_loop_in_transaction: (db) => transaction(db, updateLoop),

  async delete_loop(db) {
    for (const id of ids(15)) {
      check((await db.query('DELETE FROM jobs WHERE id = $1', [id])).rowCount, 1);
    }
  },

  async transaction_per_row(db) {
    for (const id of ids(15)) {
      await transaction(db, async (client) => {
        const { name } = await readerById(client, id);
        await client.query('UPDATE readers SET name = $1 WHERE id = $2', [name.toUpperCase(), id]);
      });
    }
  },

  async find_or_create(db) {
    for (const n of ids(15)) {
      const name = `new-${n}`;
      let tag = await row(db, 'SELECT * FROM tags WHERE name = $1', [name]);
      if (!tag) {
        tag = await row(db, 'INSERT INTO tags (id, name) VALUES ($1, $2) RETURNING *', [100 + n, name]);
      }
      check(tag.id, 100 + n);
    }
  },

  async pool_loop(db) {
    const readers = await rows(db, 'SELECT * FROM readers WHERE id <= 40');
    const loans = await Promise.all(readers.map((reader) => loansOf(db, reader)));
    check(loans.flat().length, 80);
  },

  async pool_loop_to_one(db) {
    const books = await rows(db, 'SELECT * FROM books');
    const authors = await Promise.all(
      books.map((book) => row(db, 'SELECT * FROM authors WHERE id = $1', [book.author_id])),
    );
    check(authors.filter(Boolean).length, 90);
  },

  async eager_join(db) {
    const joined = await rows(
      db,
      'SELECT a.id, a.name, b.id AS book_id, b.title FROM authors a LEFT JOIN books b ON b.author_id = a.id',
    );
    check(joined.length, 90);
  },

  async eager_batch(db) {
    const authors = await allAuthors(db);
    const books = await rows(db, 'SELECT * FROM books WHERE author_id = ANY($1)', [authors.map(({ id }) => id)]);
    const chapters = await rows(db, 'SELECT * FROM chapters WHERE book_id = ANY($1)', [books.map(({ id }) => id)]);
    check(chapters.length, 180);
  },

  async chunked(db) {
    for (const chunk of chunks(ids(200), 10)) {
      check((await rows(db, 'SELECT * FROM loans WHERE reader_id = ANY($1::int[])', [chunk])).length, 20);
    }
  },

  async chunked_tail(db) {
    for (const chunk of chunks(ids(78), 7)) {
      const list = chunk.map((_, n) => `$${n + 1}`).join(', ');
      check((await rows(db, `SELECT * FROM readers WHERE id IN (${list})`, chunk)).length, chunk.length);
    }
  },

  async bulk_insert(db) {
    const events = ids(50).map(event);
    const places = events.map((_, n) => `($${2 * n + 1}, $${2 * n + 2})`).join(', ');
    const { rowCount } = await db.query(
      `INSERT INTO events (kind, created_at) VALUES ${places}`,
      events.flatMap(({ kind, createdAt }) => [kind, createdAt]),
    );
    check(rowCount, 50);
  },

  async bulk_update(db) {
    const { rowCount } = await db.query(
      `UPDATE readers SET name = changed.name
         FROM unnest($1::int[], $2::text[]) AS changed (id, name) WHERE readers.id = changed.id`,
      [ids(50), ids(50).map((n) => `Name ${n}`)],
    );
    check(rowCount, 50);
  },

  async upsert_batch(db) {
    const places = ids(20).map((n) => `($${2 * n - 1}, $${2 * n})`).join(', ');
    const { rowCount } = await db.query(
      `INSERT INTO settings (name, value) VALUES ${places}
       ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`,
      ids(20).flatMap((n) => [`setting-${n}`, `changed ${n}`]),
    );
    check(rowCount, 20);
  },

  async polling(db) {
    for (const _ of ids(15)) {
      const { count } = await row(db, 'SELECT COUNT(*) FROM jobs WHERE state = $1', ['waiting']);
      const setting = await row(db, 'SELECT * FROM settings WHERE name = $1', ['setting-1']);
      check(`${count} ${setting.value}`, '60 value 1');
      await sleep(80);
    }
  },

  async heartbeat(db) {
    for (const _ of ids(12)) {
      check((await db.query('UPDATE workers SET seen_at = now() WHERE name = $1', ['worker-1'])).rowCount, 1);
      await sleep(80);
    }
  },

  async offset_pages(db) {
    for (const page of ids(12, 0)) {
      check((await rows(db, 'SELECT * FROM loans ORDER BY id LIMIT $1 OFFSET $2', [20, 20 * page])).length, 20);
    }
  },

  async keyset_pages(db) {
    let last = 0;
    for (const _ of ids(12)) {
      const loans = await rows(db, 'SELECT * FROM loans WHERE id > $1 ORDER BY id LIMIT 20', [last]);
      last = loans.at(-1).id;
    }
    check(last, 240);
  },

  async pager_with_count(db) {
    for (const page of ids(8, 0)) {
      const { total } = await row(db, 'SELECT COUNT(*)::int AS total FROM loans');
      const loans = await rows(db, 'SELECT * FROM loans ORDER BY day DESC, id LIMIT $1 OFFSET $2', [20, 20 * page]);
      check(`${total} ${loans.length}`, '1200 20');
      await sleep(80);
    }
  },

  async queue_worker(db) {
    for (const _ of ids(15)) {
      await transaction(db, async (client) => {
        const job = await row(
          client,
          'SELECT * FROM jobs WHERE state = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED',
          ['waiting'],
        );
        const { rowCount } = await client.query('UPDATE jobs SET state = $1 WHERE id = $2', ['done', job.id]);
        check(rowCount, 1);
      });
    }
  },

  async few_children(db) {
    for (const author of await rows(db, 'SELECT * FROM authors WHERE id <= 3')) {
      check((await booksOf(db, author)).length, 9);
    }
  },

  async list_then_detail(db) {
    const author = (await allAuthors(db))[4];
    check((await booksOf(db, author)).length, 9);
    check((await biographyOf(db, author)).author_id, author.id);
    const country = await row(db, 'SELECT * FROM countries WHERE code = $1', [author.country_code]);
    check(country.code, author.country_code);
  },

  async requests(db) {
    for (const n of ids(12)) {
      await request(db, n);
      await sleep(80);
    }
  },

  async requests_in_transactions(db) {
    for (const n of ids(12)) {
      await transaction(db, (client) => request(client, n));
      await sleep(80);
    }
  },

  async same_user_requests(db) {
    for (const page of ids(12, 0)) {
      check((await readerById(db, 7)).name, 'Reader 7');
      check((await rows(db, 'SELECT * FROM loans ORDER BY id LIMIT 20 OFFSET $1', [20 * page])).length, 20);
      await sleep(80);
    }
  },

  order_with_lines: (db) =>
    transaction(db, async (client) => {
      const order = await row(client, 'INSERT INTO orders (id, reader_id) VALUES ($1, $2) RETURNING id', [900, 1]);
      for (const line of ids(3)) {
        await client.query(
          'INSERT INTO order_lines (order_id, line, title, quantity) VALUES ($1, $2, $3, $4)',
          [order.id, line, `Title ${line}`, line],
        );
      }
    }),

  async dashboard(db) {
    await db.query('SELECT COUNT(*) FROM readers');
    await db.query('SELECT COUNT(*), MAX(day) FROM loans');
    await db.query('SELECT published, AVG(price) FROM books GROUP BY published');
    await db.query('SELECT country_code, COUNT(*) FROM authors WHERE active GROUP BY country_code');
    await db.query('SELECT state, COUNT(*) FROM jobs GROUP BY state');
    await db.query('SELECT kind, COUNT(*) FROM events GROUP BY kind');
    await db.query('SELECT tag_id, COUNT(*) FROM book_tags GROUP BY tag_id');
    await db.query('SELECT MAX(position) FROM chapters');
    await db.query('SELECT SUM(quantity) FROM order_lines');
    check((await row(db, 'SELECT MIN(seen_at) AS oldest FROM workers')).oldest instanceof Date, true);
  },

  async date_ranges(db) {
    let total = 0;
    for (const { from, to } of months) {
      const { count } = await row(
        db,
        'SELECT COUNT(*)::int FROM events WHERE created_at >= $1 AND created_at < $2',
        [from, to],
      );
      total += count;
    }
    check(total, 600);
  },

  async cursor(db) {
    const client = await db.connect();
    const cursor = client.query(new Cursor('SELECT * FROM loans ORDER BY id'));
    let count = 0;
    for (let batch = await cursor.read(100); batch.length > 0; batch = await cursor.read(100)) {
      count += batch.length;
    }
    await cursor.close();
    client.release();
    check(count, 1200);
  },

  async rolled_back_test(db) {
    const client = await db.connect();
    await client.query('BEGIN');
    const inserted = [];
    for (const n of ids(20)) {
      inserted.push((await insertEvent(client, event(n))).id);
    }
    for (const [n, id] of inserted.entries()) {
      const found = await row(client, 'SELECT * FROM events WHERE id = $1', [id]);
      check(found.kind, event(n + 1).kind);
    }
    await client.query('ROLLBACK');
    client.release();
  },

  async unnest_join(db) {
    const loans = await rows(
      db,
      'SELECT l.* FROM unnest($1::int[]) AS wanted (id) JOIN loans l ON l.reader_id = wanted.id',
      [ids(100)],
    );
    check(loans.length, 200);
  },
};

await main(scenarios, connect, (pool) => pool.end());
