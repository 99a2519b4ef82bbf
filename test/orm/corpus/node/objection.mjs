// The corpus' scenarios with Objection over Knex, as its users write them: $relatedQuery for what is loaded on
// demand, withGraphFetched and withGraphJoined for what is loaded at once.

import createKnex from 'knex';
import { Model, raw, ref } from 'objection';

import { check, chunks, event, ids, main, months, settings, sleep } from './common.mjs';
import {
  Author, Biography, Book, Chapter, Event, Job, Loan, Order, OrderLine, Reader, Setting, Shelf, Tag, Worker,
} from './objection_models.mjs';

const newEvent = (n) => ({ kind: event(n).kind, created_at: event(n).createdAt });

// The models are bound to the pool; trx is given where there is a transaction.

async function allAuthors(trx) {
  const authors = await Author.query(trx).orderBy('id');
  check(authors.length, 10);
  return authors;
}

async function lazyToMany(trx) {
  for (const author of await allAuthors(trx)) {
    check((await author.$relatedQuery('books', trx)).length, 9);
  }
}

async function nested(trx) {
  for (const author of await allAuthors(trx)) {
    for (const book of await author.$relatedQuery('books', trx)) {
      check((await book.$relatedQuery('chapters', trx)).length, 2);
    }
  }
}

async function insertEvents(trx) {
  const added = [];
  for (const n of ids(20)) {
    added.push(await Event.query(trx).insert(newEvent(n)));
  }
  return added;
}

async function renameReaders(trx) {
  const readers = await Reader.query(trx).where('id', '<=', 20).orderBy('id');
  check(readers.length, 20);
  for (const reader of readers) {
    check(await reader.$query(trx).patch({ name: `${reader.name} again` }), 1);
  }
}

async function request(n, trx) {
  const reader = await Reader.query(trx).findById(11 * n);
  const loans = await reader.$relatedQuery('loans', trx);
  const book = await loans[0].$relatedQuery('book', trx);
  check(book.id, loans[0].book_id);
}

class RolledBack extends Error {}

const scenarios = {
  async lazy_to_one() {
    const books = await Book.query().whereIn('number', ids(10).map((n) => 9 * n - 8));
    check(books.length, 10);
    for (const book of books) {
      const author = await book.$relatedQuery('author');
      check(author.id, book.author_id);
    }
  },

  lazy_to_many: () => lazyToMany(),
  lazy_to_many_in_transaction: () => Model.transaction(lazyToMany),
  nested: () => nested(),
  nested_in_transaction: () => Model.transaction(nested),

  async one_to_one() {
    for (const author of await allAuthors()) {
      const biography = await author.$relatedQuery('biography');
      check(biography.author_id, author.id);
    }
  },

  async text_key() {
    for (const author of await allAuthors()) {
      const country = await author.$relatedQuery('country');
      check(country.code, author.country_code);
    }
  },

  async uuid_key() {
    const books = await Book.query().where('number', '<=', 20);
    check(books.length, 20);
    for (const book of books) {
      check((await book.$relatedQuery('chapters')).length, 2);
    }
  },

  async many_to_many() {
    const books = await Book.query().where('number', '<=', 12);
    check(books.length, 12);
    for (const book of books) {
      check((await book.$relatedQuery('tags')).length, 2);
    }
  },

  async counts() {
    for (const author of await allAuthors()) {
      check(await author.$relatedQuery('books').resultSize(), 9);
    }
  },

  async sums() {
    for (const author of await allAuthors()) {
      const { total } = await author.$relatedQuery('books').sum('price as total').first();
      check(Number(total), 81 * author.id - 31.5);
    }
  },

  async exists() {
    for (const author of await allAuthors()) {
      const found = await author.$relatedQuery('books').select(1).limit(1).first();
      check(Boolean(found), true);
    }
  },

  async filtered_children() {
    for (const author of await allAuthors()) {
      check((await author.$relatedQuery('books').where('published', true)).length, 6);
    }
  },

  async first_per_parent() {
    for (const author of await allAuthors()) {
      const book = await author.$relatedQuery('books').orderBy('number', 'desc').limit(1).first();
      check(book.number, 9 * author.id);
    }
  },

  async tree_walk() {
    async function walk(shelf) {
      const children = await shelf.$relatedQuery('children');
      let found = children.length;
      for (const child of children) {
        found += await walk(child);
      }
      return found;
    }
    check(await walk(Shelf.fromJson({ id: 1 })), 42);
  },

  async large_loop() {
    const readers = await Reader.query().where('id', '<=', 500);
    check(readers.length, 500);
    for (const reader of readers) {
      check((await reader.$relatedQuery('loans')).length, 2);
    }
  },

  async repeated_pages() {
    for (const page of ids(5, 0)) {
      const readers = await Reader.query().whereBetween('id', [6 * page + 1, 6 * page + 6]);
      check(readers.length, 6);
      for (const reader of readers) {
        check((await reader.$relatedQuery('loans')).length, 2);
      }
      await sleep(100);
    }
  },

  async two_loops_on_a_page() {
    for (const author of await allAuthors()) {
      const biography = await author.$relatedQuery('biography');
      check(biography.author_id, author.id);
      check(await author.$relatedQuery('books').resultSize(), 9);
    }
  },

  async lookup_loop() {
    for (const n of ids(30)) {
      const reader = await Reader.query().findById(3 * n);
      check(reader.id, 3 * n);
    }
  },

  async lookup_loop_by_email() {
    for (const n of ids(25)) {
      const reader = await Reader.query().findOne({ email: `reader${n}@example.org` });
      check(reader.id, n);
    }
  },

  async composite_lookup() {
    for (const order of ids(15)) {
      const line = await OrderLine.query().findById([order, 2]);
      check(line.quantity, 2);
    }
  },

  async duplicates() {
    for (const _ of ids(20)) {
      const setting = await Setting.query().findById('setting-3').throwIfNotFound();
      check(setting.value, 'value 3');
    }
  },

  async same_parent() {
    const chapters = await Chapter.query().select('chapters.*', 'book.author_id').joinRelated('book')
      .where('book.author_id', 1);
    check(chapters.length, 18);
    for (const chapter of chapters) {
      const author = await Author.query().findById(chapter.author_id);
      check(author.name, 'Author 1');
    }
  },

  insert_loop: () => insertEvents(),
  insert_loop_in_transaction: () => Model.transaction(insertEvents),
  update_loop: () => renameReaders(),
  update_loop_in_transaction: () => Model.transaction(renameReaders),

  async delete_loop() {
    for (const id of ids(15)) {
      check(await Job.query().deleteById(id), 1);
    }
  },

  async transaction_per_row() {
    for (const id of ids(15)) {
      await Reader.transaction(async (trx) => {
        const reader = await Reader.query(trx).findById(id);
        await reader.$query(trx).patch({ name: `${reader.name} again` });
      });
    }
  },

  async find_or_create() {
    for (const n of ids(15)) {
      const name = `new-${n}`;
      check(await Tag.query().findOne({ name }), undefined);
      const tag = await Tag.query().insert({ id: 100 + n, name });
      check(tag.name, name);
    }
  },

  async pool_loop() {
    const readers = await Reader.query().where('id', '<=', 40);
    check(readers.length, 40);
    for (const loans of await Promise.all(readers.map((reader) => reader.$relatedQuery('loans')))) {
      check(loans.length, 2);
    }
  },

  async pool_loop_to_one() {
    const books = await Book.query();
    check(books.length, 90);
    const authors = await Promise.all(books.map((book) => Author.query().findById(book.author_id)));
    check(authors.filter((author, n) => author.id === books[n].author_id).length, 90);
  },

  async eager_join() {
    const authors = await Author.query().withGraphJoined('books');
    check(authors.length, 10);
    check(authors.flatMap((author) => author.books).length, 90);
  },

  async eager_batch() {
    const authors = await Author.query().withGraphFetched('books.chapters');
    check(authors.length, 10);
    check(authors.flatMap((author) => author.books).flatMap((book) => book.chapters).length, 180);
  },

  async chunked() {
    for (const chunk of chunks(ids(200), 10)) {
      check((await Loan.query().whereIn('reader_id', chunk)).length, 20);
    }
  },

  async chunked_tail() {
    for (const chunk of chunks(ids(78), 7)) {
      check((await Reader.query().findByIds(chunk)).length, chunk.length);
    }
  },

  async bulk_insert() {
    check((await Event.query().insert(ids(50).map(newEvent))).length, 50);
  },

  async bulk_update() {
    const changed = await Reader.query().patch({ name: raw("name || ' again'") }).whereIn('id', ids(50));
    check(changed, 50);
  },

  async upsert_batch() {
    const rows = ids(20).map((n) => ({ name: `setting-${n}`, value: `other ${n}` }));
    check((await Setting.query().insert(rows).onConflict('name').merge()).length, 20);
  },

  async polling() {
    for (const _ of ids(15)) {
      check(await Job.query().where('state', 'waiting').resultSize(), 60);
      const setting = await Setting.query().findById('setting-1');
      check(setting.value, 'value 1');
      await sleep(80);
    }
  },

  async heartbeat() {
    for (const _ of ids(12)) {
      check(await Worker.query().findById('worker-1').patch({ seen_at: raw('now()') }), 1);
      await sleep(80);
    }
  },

  async offset_pages() {
    for (const page of ids(12, 0)) {
      check((await Loan.query().orderBy('id').limit(20).offset(20 * page)).length, 20);
    }
  },

  async keyset_pages() {
    let last = 0;
    for (const _ of ids(12)) {
      const loans = await Loan.query().where('id', '>', last).orderBy('id').limit(20);
      check(loans.length, 20);
      last = loans[19].id;
    }
  },

  async pager_with_count() {
    for (const page of ids(8, 0)) {
      check(await Loan.query().resultSize(), 1200);
      check((await Loan.query().orderBy('id').offset(20 * page).limit(20)).length, 20);
      await sleep(80);
    }
  },

  async queue_worker() {
    for (const _ of ids(15)) {
      await Job.transaction(async (trx) => {
        const job = await Job.query(trx).where('state', 'waiting').orderBy('id').limit(1).forUpdate().skipLocked()
          .first();
        check(await job.$query(trx).patch({ state: 'done' }), 1);
      });
    }
  },

  async few_children() {
    const authors = await Author.query().where('id', '<=', 3);
    check(authors.length, 3);
    for (const author of authors) {
      check((await author.$relatedQuery('books')).length, 9);
    }
  },

  async list_then_detail() {
    const author = (await allAuthors())[4];
    check((await author.$relatedQuery('books')).length, 9);
    check((await author.$relatedQuery('biography')).author_id, author.id);
    check((await author.$relatedQuery('country')).code, author.country_code);
  },

  async requests() {
    for (const n of ids(12)) {
      await request(n);
      await sleep(80);
    }
  },

  async requests_in_transactions() {
    for (const n of ids(12)) {
      await Model.transaction((trx) => request(n, trx));
      await sleep(80);
    }
  },

  async same_user_requests() {
    for (const page of ids(12, 0)) {
      check((await Reader.query().findById(7)).id, 7);
      check((await Loan.query().orderBy('id').limit(20).offset(20 * page)).length, 20);
      await sleep(80);
    }
  },

  async order_with_lines() {
    await Order.transaction(async (trx) => {
      const order = await Order.query(trx).insert({ id: 900, reader_id: 1 });
      for (const line of ids(3)) {
        await order.$relatedQuery('lines', trx).insert({ line, title: `Line ${line}`, quantity: line });
      }
    });
  },

  async dashboard() {
    const one = (query) => query.first().then((row) => row.value);
    const values = [
      await Author.query().where('active', true).resultSize(),
      await one(Book.query().sum('price as value')),
      await one(Chapter.query().max('position as value')),
      await one(Loan.query().countDistinct('reader_id as value')),
      await one(Event.query().min('created_at as value')),
      await one(OrderLine.query().avg('quantity as value')),
      await one(Job.query().where('state', 'waiting').count('* as value')),
      await one(Shelf.query().whereNull('parent_id').count('* as value')),
      (await Tag.query().joinRaw('join book_tags on tag_id = tags.id').groupBy('name').select('name').count()).length,
      await Reader.query().whereExists(Order.query().where('orders.reader_id', ref('readers.id'))).resultSize(),
    ];
    check(values.filter((value) => value).length, 10);
  },

  async date_ranges() {
    let found = 0;
    for (const { from, to } of months) {
      found += await Event.query().where('created_at', '>=', from).where('created_at', '<', to).resultSize();
    }
    check(found, 600);
  },

  async cursor() {
    let found = 0;
    for await (const loan of Loan.query().orderBy('id').toKnexQuery().stream({ batchSize: 100 })) {
      found += loan.reader_id > 0;
    }
    check(found, 1200);
  },

  async rolled_back_test() {
    const undone = await Model.transaction(async (trx) => {
      for (const { id } of await insertEvents(trx)) {
        check((await Event.query(trx).findById(id)).id, id);
      }
      throw new RolledBack();
    }).catch((error) => error);
    check(undone instanceof RolledBack, true);
  },

  async unnest_join() {
    const loans = await Loan.query().select('loans.*')
      .joinRaw('join unnest(?::integer[]) as wanted(id) on wanted.id = loans.reader_id', [ids(100)]);
    check(loans.length, 200);
  },
};

function connect(connections) {
  const { applicationName, ...rest } = settings('objection');
  const knex = createKnex({
    client: 'pg',
    connection: { ...rest, application_name: applicationName },
    pool: { min: 0, max: connections },
  });
  Model.knex(knex);
  return knex;
}

await main(scenarios, connect, (knex) => knex.destroy());
