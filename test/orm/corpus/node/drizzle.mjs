// The corpus' scenarios with Drizzle over node-postgres, as its users write them.
// What has no relation loaded on demand is a select by the key; eager loading is db.query's "with", one query.

import {
  and, asc, avg, count, countDistinct, desc, eq, exists, gt, gte, inArray, isNull, lt, lte, max, min, sql, sum,
} from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';

import { check, chunks, event, ids, main, months, settings as connection, sleep } from './common.mjs';
import * as schema from './drizzle_schema.mjs';

const {
  authors, biographies, bookTags, books, chapters, countries, events, jobs, loans, orderLines, orders, readers,
  settings, shelves, tags, workers,
} = schema;

const booksOf = (db, author) => db.select().from(books).where(eq(books.authorId, author.id));
const chaptersOf = (db, book) => db.select().from(chapters).where(eq(chapters.bookId, book.id));
const loansOf = (db, reader) => db.select().from(loans).where(eq(loans.readerId, reader.id));
const readerById = (db, id) => db.query.readers.findFirst({ where: eq(readers.id, id) });

async function allAuthors(db) {
  const rows = await db.select().from(authors).orderBy(asc(authors.id));
  check(rows.length, 10);
  return rows;
}

async function lazyToMany(db) {
  for (const author of await allAuthors(db)) {
    check((await booksOf(db, author)).length, 9);
  }
}

async function nested(db) {
  for (const author of await allAuthors(db)) {
    for (const book of await booksOf(db, author)) {
      check((await chaptersOf(db, book)).length, 2);
    }
  }
}

async function insertEvents(db) {
  const added = [];
  for (const n of ids(20)) {
    const [row] = await db.insert(events).values(event(n)).returning({ id: events.id });
    added.push(row.id);
  }
  return added;
}

async function renameReaders(db) {
  const rows = await db.select().from(readers).where(lte(readers.id, 20)).orderBy(asc(readers.id));
  check(rows.length, 20);
  for (const reader of rows) {
    const { rowCount } = await db.update(readers).set({ name: `${reader.name} again` })
      .where(eq(readers.id, reader.id));
    check(rowCount, 1);
  }
}

async function request(db, n) {
  const reader = await readerById(db, n * 11);
  const theirs = await loansOf(db, reader);
  const [book] = await db.select().from(books).where(eq(books.id, theirs[0].bookId));
  check(book.id, theirs[0].bookId);
}

class RolledBack extends Error {}

const scenarios = {
  async lazy_to_one(db) {
    const numbers = ids(10).map((n) => 9 * n - 8);
    const rows = await db.select().from(books).where(inArray(books.number, numbers));
    check(rows.length, 10);
    for (const book of rows) {
      const [author] = await db.select().from(authors).where(eq(authors.id, book.authorId));
      check(author.id, book.authorId);
    }
  },

  lazy_to_many: lazyToMany,
  lazy_to_many_in_transaction: (db) => db.transaction(lazyToMany),
  nested,
  nested_in_transaction: (db) => db.transaction(nested),

  async one_to_one(db) {
    for (const author of await allAuthors(db)) {
      const biography = await db.query.biographies.findFirst({ where: eq(biographies.authorId, author.id) });
      check(biography.authorId, author.id);
    }
  },

  async text_key(db) {
    for (const author of await allAuthors(db)) {
      const country = await db.query.countries.findFirst({ where: eq(countries.code, author.countryCode) });
      check(country.code, author.countryCode);
    }
  },

  async uuid_key(db) {
    const rows = await db.select().from(books).where(lte(books.number, 20));
    check(rows.length, 20);
    for (const book of rows) {
      check((await chaptersOf(db, book)).length, 2);
    }
  },

  async many_to_many(db) {
    const rows = await db.select().from(books).where(lte(books.number, 12));
    check(rows.length, 12);
    for (const book of rows) {
      const found = await db.select({ id: tags.id, name: tags.name }).from(tags)
        .innerJoin(bookTags, eq(bookTags.tagId, tags.id)).where(eq(bookTags.bookId, book.id));
      check(found.length, 2);
    }
  },

  async counts(db) {
    for (const author of await allAuthors(db)) {
      check(await db.$count(books, eq(books.authorId, author.id)), 9);
    }
  },

  async sums(db) {
    for (const author of await allAuthors(db)) {
      const [row] = await db.select({ total: sum(books.price) }).from(books).where(eq(books.authorId, author.id));
      check(Number(row.total), 81 * author.id - 31.5);
    }
  },

  async exists(db) {
    for (const author of await allAuthors(db)) {
      const found = await db.select({ id: books.id }).from(books).where(eq(books.authorId, author.id)).limit(1);
      check(found.length, 1);
    }
  },

  async filtered_children(db) {
    for (const author of await allAuthors(db)) {
      const found = await db.select().from(books).where(and(eq(books.authorId, author.id), eq(books.published, true)));
      check(found.length, 6);
    }
  },

  async first_per_parent(db) {
    for (const author of await allAuthors(db)) {
      const book = await db.query.books.findFirst({
        where: eq(books.authorId, author.id), orderBy: desc(books.number),
      });
      check(book.number, 9 * author.id);
    }
  },

  async tree_walk(db) {
    async function walk(id) {
      const children = await db.select().from(shelves).where(eq(shelves.parentId, id));
      let found = children.length;
      for (const child of children) {
        found += await walk(child.id);
      }
      return found;
    }
    check(await walk(1), 42);
  },

  async large_loop(db) {
    const rows = await db.select().from(readers).where(lte(readers.id, 500));
    check(rows.length, 500);
    for (const reader of rows) {
      check((await loansOf(db, reader)).length, 2);
    }
  },

  async repeated_pages(db) {
    for (let page = 0; page < 5; page++) {
      const rows = await db.select().from(readers)
        .where(and(gte(readers.id, 6 * page + 1), lte(readers.id, 6 * page + 6)));
      check(rows.length, 6);
      for (const reader of rows) {
        check((await loansOf(db, reader)).length, 2);
      }
      await sleep(100);
    }
  },

  async two_loops_on_a_page(db) {
    for (const author of await allAuthors(db)) {
      const [biography] = await db.select().from(biographies).where(eq(biographies.authorId, author.id));
      check(biography.authorId, author.id);
      check(await db.$count(books, eq(books.authorId, author.id)), 9);
    }
  },

  async lookup_loop(db) {
    for (let id = 3; id <= 90; id += 3) {
      check((await readerById(db, id)).id, id);
    }
  },

  async lookup_loop_by_email(db) {
    for (const n of ids(25)) {
      const [reader] = await db.select().from(readers).where(eq(readers.email, `reader${n}@example.org`));
      check(reader.id, n);
    }
  },

  async composite_lookup(db) {
    for (const order of ids(15)) {
      const [line] = await db.select().from(orderLines)
        .where(and(eq(orderLines.orderId, order), eq(orderLines.line, 2)));
      check(line.quantity, 2);
    }
  },

  async duplicates(db) {
    for (let n = 0; n < 20; n++) {
      const setting = await db.query.settings.findFirst({ where: eq(settings.name, 'setting-3') });
      check(setting.value, 'value 3');
    }
  },

  async same_parent(db) {
    const rows = await db.select({ id: chapters.id, authorId: books.authorId }).from(chapters)
      .innerJoin(books, eq(books.id, chapters.bookId)).where(eq(books.authorId, 1));
    check(rows.length, 18);
    for (const chapter of rows) {
      const [author] = await db.select().from(authors).where(eq(authors.id, chapter.authorId));
      check(author.id, 1);
    }
  },

  insert_loop: insertEvents,
  insert_loop_in_transaction: (db) => db.transaction(insertEvents),
  update_loop: renameReaders,
  update_loop_in_transaction: (db) => db.transaction(renameReaders),

  async delete_loop(db) {
    for (const id of ids(15)) {
      check((await db.delete(jobs).where(eq(jobs.id, id))).rowCount, 1);
    }
  },

  async transaction_per_row(db) {
    for (const id of ids(15)) {
      await db.transaction(async (tx) => {
        const [reader] = await tx.select().from(readers).where(eq(readers.id, id));
        await tx.update(readers).set({ name: `${reader.name} again` }).where(eq(readers.id, reader.id));
      });
    }
  },

  async find_or_create(db) {
    for (const n of ids(15)) {
      const name = `new-${n}`;
      const found = await db.query.tags.findFirst({ where: eq(tags.name, name) });
      check(found, undefined);
      const [tag] = await db.insert(tags).values({ id: 100 + n, name }).returning();
      check(tag.name, name);
    }
  },

  async pool_loop(db) {
    const rows = await db.select().from(readers).where(lte(readers.id, 40));
    check(rows.length, 40);
    for (const theirs of await Promise.all(rows.map((reader) => loansOf(db, reader)))) {
      check(theirs.length, 2);
    }
  },

  async pool_loop_to_one(db) {
    const rows = await db.select().from(books);
    check(rows.length, 90);
    const found = await Promise.all(rows.map(
      (book) => db.query.authors.findFirst({ where: eq(authors.id, book.authorId) })));
    check(found.filter((author, n) => author.id === rows[n].authorId).length, 90);
  },

  async eager_join(db) {
    const rows = await db.query.authors.findMany({ with: { books: true } });
    check(rows.length, 10);
    check(rows.flatMap((author) => author.books).length, 90);
  },

  async eager_batch(db) {
    const rows = await allAuthors(db);
    const theirs = await db.select().from(books).where(inArray(books.authorId, rows.map((author) => author.id)));
    check(theirs.length, 90);
    const parts = await db.select().from(chapters).where(inArray(chapters.bookId, theirs.map((book) => book.id)));
    check(parts.length, 180);
  },

  async chunked(db) {
    for (const chunk of chunks(ids(200), 10)) {
      check((await db.select().from(loans).where(inArray(loans.readerId, chunk))).length, 20);
    }
  },

  async chunked_tail(db) {
    for (const chunk of chunks(ids(78), 7)) {
      check((await db.select().from(readers).where(inArray(readers.id, chunk))).length, chunk.length);
    }
  },

  async bulk_insert(db) {
    check((await db.insert(events).values(ids(50).map(event))).rowCount, 50);
  },

  async bulk_update(db) {
    const { rowCount } = await db.update(readers).set({ name: sql`${readers.name} || ' again'` })
      .where(inArray(readers.id, ids(50)));
    check(rowCount, 50);
  },

  async upsert_batch(db) {
    const rows = ids(20).map((n) => ({ name: `setting-${n}`, value: `other ${n}` }));
    const { rowCount } = await db.insert(settings).values(rows)
      .onConflictDoUpdate({ target: settings.name, set: { value: sql`excluded.value` } });
    check(rowCount, 20);
  },

  async polling(db) {
    for (let n = 0; n < 15; n++) {
      check(await db.$count(jobs, eq(jobs.state, 'waiting')), 60);
      const [setting] = await db.select().from(settings).where(eq(settings.name, 'setting-1'));
      check(setting.value, 'value 1');
      await sleep(80);
    }
  },

  async heartbeat(db) {
    for (let n = 0; n < 12; n++) {
      check((await db.update(workers).set({ seenAt: sql`now()` }).where(eq(workers.name, 'worker-1'))).rowCount, 1);
      await sleep(80);
    }
  },

  async offset_pages(db) {
    for (let page = 0; page < 12; page++) {
      check((await db.select().from(loans).orderBy(asc(loans.id)).limit(20).offset(20 * page)).length, 20);
    }
  },

  async keyset_pages(db) {
    let last = 0;
    for (let page = 0; page < 12; page++) {
      const rows = await db.select().from(loans).where(gt(loans.id, last)).orderBy(asc(loans.id)).limit(20);
      check(rows.length, 20);
      last = rows[19].id;
    }
  },

  async pager_with_count(db) {
    for (let page = 0; page < 8; page++) {
      check(await db.$count(loans), 1200);
      check((await db.query.loans.findMany({ orderBy: asc(loans.id), limit: 20, offset: 20 * page })).length, 20);
      await sleep(80);
    }
  },

  async queue_worker(db) {
    for (let n = 0; n < 15; n++) {
      await db.transaction(async (tx) => {
        const [job] = await tx.select().from(jobs).where(eq(jobs.state, 'waiting')).orderBy(asc(jobs.id)).limit(1)
          .for('update', { skipLocked: true });
        check((await tx.update(jobs).set({ state: 'done' }).where(eq(jobs.id, job.id))).rowCount, 1);
      });
    }
  },

  async few_children(db) {
    const rows = await db.select().from(authors).where(lte(authors.id, 3));
    check(rows.length, 3);
    for (const author of rows) {
      check((await booksOf(db, author)).length, 9);
    }
  },

  async list_then_detail(db) {
    const author = (await allAuthors(db))[4];
    check((await booksOf(db, author)).length, 9);
    const [biography] = await db.select().from(biographies).where(eq(biographies.authorId, author.id));
    check(biography.authorId, author.id);
    const [country] = await db.select().from(countries).where(eq(countries.code, author.countryCode));
    check(country.code, author.countryCode);
  },

  async requests(db) {
    for (const n of ids(12)) {
      await request(db, n);
      await sleep(80);
    }
  },

  async requests_in_transactions(db) {
    for (const n of ids(12)) {
      await db.transaction((tx) => request(tx, n));
      await sleep(80);
    }
  },

  async same_user_requests(db) {
    for (let page = 0; page < 12; page++) {
      check((await readerById(db, 7)).id, 7);
      check((await db.select().from(loans).orderBy(asc(loans.id)).limit(20).offset(20 * page)).length, 20);
      await sleep(80);
    }
  },

  async order_with_lines(db) {
    await db.transaction(async (tx) => {
      const [order] = await tx.insert(orders).values({ id: 900, readerId: 1 }).returning();
      for (const line of ids(3)) {
        await tx.insert(orderLines).values({ orderId: order.id, line, title: `Line ${line}`, quantity: line });
      }
    });
  },

  async dashboard(db) {
    const one = (table, fields) => db.select(fields).from(table).then((rows) => rows[0].value);
    const values = [
      await db.$count(authors, eq(authors.active, true)),
      await one(books, { value: sum(books.price) }),
      await one(chapters, { value: max(chapters.position) }),
      await one(loans, { value: countDistinct(loans.readerId) }),
      await one(events, { value: min(events.createdAt) }),
      await one(orderLines, { value: avg(orderLines.quantity) }),
      await db.$count(jobs, eq(jobs.state, 'waiting')),
      await db.$count(shelves, isNull(shelves.parentId)),
      (await db.select({ id: bookTags.tagId, value: count() }).from(bookTags).groupBy(bookTags.tagId)).length,
      await db.$count(readers, exists(db.select().from(orders).where(eq(orders.readerId, readers.id)))),
    ];
    check(values.filter((value) => value).length, 10);
  },

  async date_ranges(db) {
    let found = 0;
    for (const { from, to } of months) {
      found += await db.$count(events, and(gte(events.createdAt, from), lt(events.createdAt, to)));
    }
    check(found, 600);
  },

  // Drizzle has no streaming for PostgreSQL; its users write the cursor in SQL.
  async cursor(db) {
    await db.transaction(async (tx) => {
      await tx.execute(sql`declare all_loans cursor for ${tx.select().from(loans).orderBy(asc(loans.id))}`);
      let found = 0;
      for (;;) {
        const { rows } = await tx.execute(sql`fetch 100 from all_loans`);
        if (rows.length === 0) {
          break;
        }
        found += rows.length;
      }
      check(found, 1200);
      await tx.execute(sql`close all_loans`);
    });
  },

  async rolled_back_test(db) {
    const undone = await db.transaction(async (tx) => {
      for (const id of await insertEvents(tx)) {
        const [row] = await tx.select().from(events).where(eq(events.id, id));
        check(row.id, id);
      }
      throw new RolledBack();
    }).catch((error) => error);
    check(undone instanceof RolledBack, true);
  },

  async unnest_join(db) {
    const { rows } = await db.execute(sql`
      select ${loans.id}, ${loans.bookId} from ${loans}
      join unnest(${sql.param(ids(100))}::integer[]) as wanted(id) on wanted.id = ${loans.readerId}`);
    check(rows.length, 200);
  },
};

function connect(connections) {
  const { applicationName, ...rest } = connection('drizzle');
  const pool = new pg.Pool({ ...rest, application_name: applicationName, max: connections });
  return drizzle(pool, { schema });
}

await main(scenarios, connect, (db) => db.$client.end());
