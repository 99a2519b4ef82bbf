// The corpus' scenarios with Prisma (the client without Rust, over its adapter for node-postgres), as its users write
// them. Each findUnique is waited for before the next one starts, so Prisma's data loader has nothing to merge; the
// pool's scenarios ask with findMany and findFirst, which it never merges.

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PrismaPg } from '@prisma/adapter-pg';

import { check, chunks, event, ids, main, months, settings, sleep } from './common.mjs';

// Makes the client of schema.prisma as "prisma generate" does, unless it is there. Everything is written in
// node_modules. The command wants two engines to be there that it does not start; any file will do, so that it does
// not look for a download.
function generate() {
  const folder = dirname(fileURLToPath(import.meta.url));
  const schema = join(folder, 'schema.prisma');
  const made = statSync(join(folder, 'node_modules/.prisma/client/index.js'), { throwIfNoEntry: false });
  if (made?.mtimeMs > statSync(schema).mtimeMs) {
    return;
  }
  const command = [join(folder, 'node_modules/prisma/build/index.js'), 'generate', '--no-hints', '--schema', schema];
  const env = {
    ...process.env,
    CHECKPOINT_DISABLE: '1',
    HOME: join(folder, 'node_modules'),
    PRISMA_QUERY_ENGINE_LIBRARY: process.execPath,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`prisma generate failed: ${stdout}${stderr}`);
  }
}

generate();
const { Prisma, PrismaClient } = await import('@prisma/client');

const booksOf = (db, author) => db.book.findMany({ where: { authorId: author.id } });
const chaptersOf = (db, book) => db.chapter.findMany({ where: { bookId: book.id } });
const loansOf = (db, reader) => db.loan.findMany({ where: { readerId: reader.id } });

async function allAuthors(db) {
  const authors = await db.author.findMany({ orderBy: { id: 'asc' } });
  check(authors.length, 10);
  return authors;
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
    added.push(await db.event.create({ data: event(n) }));
  }
  return added;
}

async function renameReaders(db) {
  const readers = await db.reader.findMany({ where: { id: { lte: 20 } }, orderBy: { id: 'asc' } });
  check(readers.length, 20);
  for (const reader of readers) {
    const name = `${reader.name} again`;
    check((await db.reader.update({ where: { id: reader.id }, data: { name } })).name, name);
  }
}

async function request(db, n) {
  const reader = await db.reader.findUniqueOrThrow({ where: { id: 11 * n } });
  const loans = await loansOf(db, reader);
  const book = await db.book.findUnique({ where: { id: loans[0].bookId } });
  check(book.id, loans[0].bookId);
}

class RolledBack extends Error {}

const scenarios = {
  async lazy_to_one(db) {
    const books = await db.book.findMany({ where: { number: { in: ids(10).map((n) => 9 * n - 8) } } });
    check(books.length, 10);
    for (const book of books) {
      const author = await db.author.findUnique({ where: { id: book.authorId } });
      check(author.id, book.authorId);
    }
  },

  lazy_to_many: lazyToMany,
  lazy_to_many_in_transaction: (db) => db.$transaction(lazyToMany),
  nested,
  nested_in_transaction: (db) => db.$transaction(nested),

  async one_to_one(db) {
    for (const author of await allAuthors(db)) {
      const biography = await db.biography.findUnique({ where: { authorId: author.id } });
      check(biography.authorId, author.id);
    }
  },

  async text_key(db) {
    for (const author of await allAuthors(db)) {
      const country = await db.country.findUnique({ where: { code: author.countryCode } });
      check(country.code, author.countryCode);
    }
  },

  async uuid_key(db) {
    const books = await db.book.findMany({ where: { number: { lte: 20 } } });
    check(books.length, 20);
    for (const book of books) {
      check((await chaptersOf(db, book)).length, 2);
    }
  },

  async many_to_many(db) {
    const books = await db.book.findMany({ where: { number: { lte: 12 } } });
    check(books.length, 12);
    for (const book of books) {
      const links = await db.bookTag.findMany({ where: { bookId: book.id }, include: { tag: true } });
      check(links.filter(({ tag }) => tag.name.startsWith('tag-')).length, 2);
    }
  },

  async counts(db) {
    for (const author of await allAuthors(db)) {
      check(await db.book.count({ where: { authorId: author.id } }), 9);
    }
  },

  async sums(db) {
    for (const author of await allAuthors(db)) {
      const { _sum } = await db.book.aggregate({ _sum: { price: true }, where: { authorId: author.id } });
      check(Number(_sum.price), 81 * Number(author.id) - 31.5);
    }
  },

  async exists(db) {
    for (const author of await allAuthors(db)) {
      const found = await db.book.findFirst({ where: { authorId: author.id }, select: { id: true } });
      check(found !== null, true);
    }
  },

  async filtered_children(db) {
    for (const author of await allAuthors(db)) {
      check((await db.book.findMany({ where: { authorId: author.id, published: true } })).length, 6);
    }
  },

  async first_per_parent(db) {
    for (const author of await allAuthors(db)) {
      const book = await db.book.findFirst({ where: { authorId: author.id }, orderBy: { number: 'desc' } });
      check(book.number, 9 * Number(author.id));
    }
  },

  async tree_walk(db) {
    async function walk(id) {
      const children = await db.shelf.findMany({ where: { parentId: id } });
      let found = children.length;
      for (const child of children) {
        found += await walk(child.id);
      }
      return found;
    }
    check(await walk(1), 42);
  },

  async large_loop(db) {
    const readers = await db.reader.findMany({ where: { id: { lte: 500 } } });
    check(readers.length, 500);
    for (const reader of readers) {
      check((await loansOf(db, reader)).length, 2);
    }
  },

  async repeated_pages(db) {
    for (const page of ids(5, 0)) {
      const readers = await db.reader.findMany({ where: { id: { gte: 6 * page + 1, lte: 6 * page + 6 } } });
      check(readers.length, 6);
      for (const reader of readers) {
        check((await loansOf(db, reader)).length, 2);
      }
      await sleep(100);
    }
  },

  async two_loops_on_a_page(db) {
    for (const author of await allAuthors(db)) {
      const biography = await db.biography.findUnique({ where: { authorId: author.id } });
      check(biography.authorId, author.id);
      check(await db.book.count({ where: { authorId: author.id } }), 9);
    }
  },

  async lookup_loop(db) {
    for (const n of ids(30)) {
      const reader = await db.reader.findUnique({ where: { id: 3 * n } });
      check(reader.id, 3 * n);
    }
  },

  async lookup_loop_by_email(db) {
    for (const n of ids(25)) {
      const reader = await db.reader.findUnique({ where: { email: `reader${n}@example.org` } });
      check(reader.id, n);
    }
  },

  async composite_lookup(db) {
    for (const orderId of ids(15)) {
      const line = await db.orderLine.findUnique({ where: { orderId_line: { orderId, line: 2 } } });
      check(line.quantity, 2);
    }
  },

  async duplicates(db) {
    for (const _ of ids(20)) {
      const setting = await db.setting.findUniqueOrThrow({ where: { name: 'setting-3' } });
      check(setting.value, 'value 3');
    }
  },

  async same_parent(db) {
    const chapters = await db.chapter.findMany({ where: { book: { authorId: 1 } } });
    check(chapters.length, 18);
    for (const _ of chapters) {
      const author = await db.author.findUnique({ where: { id: 1 } });
      check(author.name, 'Author 1');
    }
  },

  insert_loop: insertEvents,
  insert_loop_in_transaction: (db) => db.$transaction(insertEvents),
  update_loop: renameReaders,
  update_loop_in_transaction: (db) => db.$transaction(renameReaders),

  async delete_loop(db) {
    for (const id of ids(15)) {
      check((await db.job.delete({ where: { id } })).id, id);
    }
  },

  async transaction_per_row(db) {
    for (const id of ids(15)) {
      await db.$transaction(async (tx) => {
        const reader = await tx.reader.findUnique({ where: { id } });
        await tx.reader.update({ where: { id }, data: { name: `${reader.name} again` } });
      });
    }
  },

  async find_or_create(db) {
    for (const n of ids(15)) {
      const name = `new-${n}`;
      check(await db.tag.findUnique({ where: { name } }), null);
      const tag = await db.tag.create({ data: { id: 100 + n, name } });
      check(tag.name, name);
    }
  },

  async pool_loop(db) {
    const readers = await db.reader.findMany({ where: { id: { lte: 40 } } });
    check(readers.length, 40);
    for (const loans of await Promise.all(readers.map((reader) => loansOf(db, reader)))) {
      check(loans.length, 2);
    }
  },

  async pool_loop_to_one(db) {
    const books = await db.book.findMany();
    check(books.length, 90);
    const authors = await Promise.all(books.map((book) => db.author.findFirst({ where: { id: book.authorId } })));
    check(authors.filter((author, n) => author.id === books[n].authorId).length, 90);
  },

  // Without its preview of joins Prisma loads relations with one statement each; a join is written in SQL.
  async eager_join(db) {
    const rows = await db.$queryRaw`
      SELECT a.id AS author_id, a.name, b.id AS book_id, b.title
      FROM authors AS a JOIN books AS b ON b.author_id = a.id ORDER BY a.id, b.number`;
    check(rows.length, 90);
  },

  async eager_batch(db) {
    const authors = await db.author.findMany({ include: { books: { include: { chapters: true } } } });
    check(authors.length, 10);
    check(authors.flatMap((author) => author.books).flatMap((book) => book.chapters).length, 180);
  },

  async chunked(db) {
    for (const chunk of chunks(ids(200), 10)) {
      check((await db.loan.findMany({ where: { readerId: { in: chunk } } })).length, 20);
    }
  },

  async chunked_tail(db) {
    for (const chunk of chunks(ids(78), 7)) {
      check((await db.reader.findMany({ where: { id: { in: chunk } } })).length, chunk.length);
    }
  },

  async bulk_insert(db) {
    check((await db.event.createMany({ data: ids(50).map(event) })).count, 50);
  },

  async bulk_update(db) {
    check((await db.reader.updateMany({ where: { id: { in: ids(50) } }, data: { name: 'Again' } })).count, 50);
  },

  // upsert is for one row; of many it is written in SQL.
  async upsert_batch(db) {
    const rows = ids(20).map((n) => Prisma.sql`(${`setting-${n}`}, ${`other ${n}`})`);
    const written = await db.$executeRaw`
      INSERT INTO settings (name, value) VALUES ${Prisma.join(rows)}
      ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
    check(written, 20);
  },

  async polling(db) {
    for (const _ of ids(15)) {
      check(await db.job.count({ where: { state: 'waiting' } }), 60);
      const setting = await db.setting.findUnique({ where: { name: 'setting-1' } });
      check(setting.value, 'value 1');
      await sleep(80);
    }
  },

  async heartbeat(db) {
    for (const _ of ids(12)) {
      await db.worker.update({ where: { name: 'worker-1' }, data: { seenAt: new Date() } });
      await sleep(80);
    }
  },

  async offset_pages(db) {
    for (const page of ids(12, 0)) {
      check((await db.loan.findMany({ orderBy: { id: 'asc' }, take: 20, skip: 20 * page })).length, 20);
    }
  },

  async keyset_pages(db) {
    let last = 0;
    for (const _ of ids(12)) {
      const loans = await db.loan.findMany({ where: { id: { gt: last } }, orderBy: { id: 'asc' }, take: 20 });
      check(loans.length, 20);
      last = loans[19].id;
    }
  },

  async pager_with_count(db) {
    for (const page of ids(8, 0)) {
      check(await db.loan.count(), 1200);
      check((await db.loan.findMany({ orderBy: { id: 'asc' }, skip: 20 * page, take: 20 })).length, 20);
      await sleep(80);
    }
  },

  // Prisma has no row locks; its users take the job in SQL.
  async queue_worker(db) {
    for (const _ of ids(15)) {
      await db.$transaction(async (tx) => {
        const [{ id }] = await tx.$queryRaw`
          SELECT id, payload FROM jobs WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`;
        check((await tx.job.update({ where: { id }, data: { state: 'done' } })).id, id);
      });
    }
  },

  async few_children(db) {
    const authors = await db.author.findMany({ where: { id: { lte: 3 } } });
    check(authors.length, 3);
    for (const author of authors) {
      check((await booksOf(db, author)).length, 9);
    }
  },

  async list_then_detail(db) {
    const author = (await allAuthors(db))[4];
    check((await booksOf(db, author)).length, 9);
    check((await db.biography.findUnique({ where: { authorId: author.id } })).authorId, author.id);
    check((await db.country.findUnique({ where: { code: author.countryCode } })).code, author.countryCode);
  },

  async requests(db) {
    for (const n of ids(12)) {
      await request(db, n);
      await sleep(80);
    }
  },

  async requests_in_transactions(db) {
    for (const n of ids(12)) {
      await db.$transaction((tx) => request(tx, n));
      await sleep(80);
    }
  },

  async same_user_requests(db) {
    for (const page of ids(12, 0)) {
      check((await db.reader.findUnique({ where: { id: 7 } })).id, 7);
      check((await db.loan.findMany({ orderBy: { id: 'asc' }, take: 20, skip: 20 * page })).length, 20);
      await sleep(80);
    }
  },

  async order_with_lines(db) {
    await db.$transaction(async (tx) => {
      const order = await tx.order.create({ data: { id: 900, readerId: 1 } });
      for (const line of ids(3)) {
        await tx.orderLine.create({ data: { orderId: order.id, line, title: `Line ${line}`, quantity: line } });
      }
    });
  },

  async dashboard(db) {
    const values = [
      await db.author.count({ where: { active: true } }),
      (await db.book.aggregate({ _sum: { price: true } }))._sum.price,
      (await db.chapter.aggregate({ _max: { position: true } }))._max.position,
      (await db.loan.groupBy({ by: ['day'], _count: { _all: true } })).length,
      (await db.event.aggregate({ _min: { createdAt: true } }))._min.createdAt,
      (await db.orderLine.aggregate({ _avg: { quantity: true } }))._avg.quantity,
      await db.job.count({ where: { state: 'waiting' } }),
      await db.shelf.count({ where: { parentId: null } }),
      (await db.bookTag.groupBy({ by: ['tagId'], _count: { _all: true } })).length,
      await db.reader.count({ where: { orders: { some: {} } } }),
    ];
    check(values.filter((value) => value).length, 10);
  },

  async date_ranges(db) {
    let found = 0;
    for (const { from, to } of months) {
      found += await db.event.count({ where: { createdAt: { gte: from, lt: to } } });
    }
    check(found, 600);
  },

  // Prisma has no streaming; its users write the cursor in SQL.
  async cursor(db) {
    await db.$transaction(async (tx) => {
      await tx.$executeRaw`DECLARE all_loans CURSOR FOR SELECT id, reader_id FROM loans ORDER BY id`;
      let found = 0;
      let rows;
      do {
        rows = await tx.$queryRaw`FETCH 100 FROM all_loans`;
        found += rows.length;
      } while (rows.length > 0);
      check(found, 1200);
    });
  },

  async rolled_back_test(db) {
    const undone = await db.$transaction(async (tx) => {
      for (const { id } of await insertEvents(tx)) {
        check((await tx.event.findUnique({ where: { id } })).id, id);
      }
      throw new RolledBack();
    }).catch((error) => error);
    check(undone instanceof RolledBack, true);
  },

  async unnest_join(db) {
    const rows = await db.$queryRaw`
      SELECT l.id, l.reader_id FROM loans AS l
      JOIN unnest(${ids(100)}::integer[]) AS wanted (id) ON wanted.id = l.reader_id`;
    check(rows.length, 200);
  },
};

function connect(connections) {
  const { applicationName, ...rest } = settings('prisma');
  return new PrismaClient({ adapter: new PrismaPg({ ...rest, application_name: applicationName, max: connections }) });
}

// Node would print the line that threw, and those of Prisma's client are as long as a book.
await main(scenarios, connect, (db) => db.$disconnect()).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
