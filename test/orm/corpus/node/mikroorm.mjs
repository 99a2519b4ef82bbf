// MikroORM: an entity manager with its identity map for each request, references and collections that are loaded
// when they are needed, and a unit of work that flushes. It has a data loader that merges such loads; it is off, as
// it is unless somebody turns it on. The entities are schemas because nothing is compiled here.

import { EntitySchema, LockMode, MikroORM, raw } from '@mikro-orm/postgresql';
import { check, chunks, event, ids, main, months, settings, sleep } from './common.mjs';

class Country {}
class Author {}
class Biography {}
class Book {}
class Chapter {}
class Tag {}
class Shelf {}
class Reader {}
class Loan {}
class Order {}
class OrderLine {}
class Job {}
class Event {}
class Worker {}
class Setting {}

const key = (type) => ({ type, primary: true });
const serial = (type) => ({ type, primary: true, autoincrement: true });
const toOne = (entity, kind = 'm:1') => ({ kind, entity, ref: true });
const toMany = (entity, mappedBy) => ({ kind: '1:m', entity, mappedBy });
const text = { type: 'text' };
const integer = { type: 'integer' };

const entities = [
  [Country, 'countries', { code: key('text'), name: text }],
  [Author, 'authors', {
    id: key('bigint'),
    country: { ...toOne(() => Country), fieldName: 'country_code' },
    name: text,
    active: { type: 'boolean' },
    books: toMany(() => Book, 'author'),
  }],
  [Biography, 'biographies', {
    id: key('integer'),
    author: { ...toOne(() => Author, '1:1'), owner: true },
    body: text,
  }],
  [Book, 'books', {
    id: key('uuid'),
    number: integer,
    author: toOne(() => Author),
    title: text,
    published: { type: 'boolean' },
    price: { type: 'decimal', precision: 8, scale: 2 },
    chapters: toMany(() => Chapter, 'book'),
    tags: {
      kind: 'm:n',
      entity: () => Tag,
      pivotTable: 'book_tags',
      joinColumn: 'book_id',
      inverseJoinColumn: 'tag_id',
    },
  }],
  [Chapter, 'chapters', { id: serial('integer'), book: toOne(() => Book), position: integer, title: text }],
  [Tag, 'tags', { id: key('integer'), name: text }],
  [Shelf, 'shelves', {
    id: key('integer'),
    parent: { ...toOne(() => Shelf), nullable: true },
    name: text,
    children: toMany(() => Shelf, 'parent'),
  }],
  [Reader, 'readers', { id: key('integer'), name: text, email: text, loans: toMany(() => Loan, 'reader') }],
  [Loan, 'loans', {
    id: serial('integer'),
    reader: toOne(() => Reader),
    book: toOne(() => Book),
    day: { type: 'date' },
  }],
  [Order, 'orders', { id: key('integer'), reader: toOne(() => Reader) }],
  [OrderLine, 'order_lines', { orderId: key('integer'), line: key('integer'), title: text, quantity: integer }],
  [Job, 'jobs', { id: serial('integer'), state: text, payload: text }],
  [Event, 'events', { id: serial('bigint'), kind: text, createdAt: { type: 'datetime' } }],
  [Worker, 'workers', { name: key('text'), seenAt: { type: 'datetime' } }],
  [Setting, 'settings', { name: key('text'), value: text }],
].map(([entity, tableName, properties]) => new EntitySchema({ class: entity, tableName, properties }));

async function connect(max) {
  const { applicationName, database, ...options } = settings('mikroorm');
  const orm = await MikroORM.init({
    ...options,
    dbName: database,
    driverOptions: { connection: { application_name: applicationName } },
    pool: { min: 0, max },
    ensureDatabase: false,
    entities,
  });
  return orm.em.fork();
}

async function lazyToMany(em) {
  let count = 0;
  for (const author of await em.find(Author, {})) {
    count += (await author.books.loadItems()).length;
  }
  check(count, 90);
}

async function nested(em) {
  let count = 0;
  for (const author of await em.find(Author, {})) {
    await author.books.init();
    for (const book of author.books) {
      await book.chapters.init();
      count += book.chapters.length;
    }
  }
  check(count, 180);
}

async function updateLoop(em) {
  const readers = await em.find(Reader, { id: { $lte: 20 } });
  for (const reader of readers) {
    reader.name += '!';
    await em.flush();
  }
  check(readers.length, 20);
}

async function insertLoop(em) {
  for (const n of ids(20)) {
    const created = em.create(Event, event(n));
    await em.persist(created).flush();
    check(Number(created.id) > 600, true);
  }
}

async function request(em, n) {
  const reader = await em.findOneOrFail(Reader, 5 * n);
  const loans = await reader.loans.loadItems();
  const book = await loans[0].book.load();
  check(book.title.startsWith('Book'), true);
}

const scenarios = {
  async lazy_to_one(em) {
    const books = await em.find(Book, { [raw('number % 9')]: 1 });
    for (const book of books) {
      const author = await book.author.load();
      check(author.name, `Author ${author.id}`);
    }
    check(books.length, 10);
  },

  lazy_to_many: lazyToMany,
  lazy_to_many_in_transaction: (em) => em.transactional(lazyToMany),
  nested,
  nested_in_transaction: (em) => em.transactional(nested),

  async one_to_one(em) {
    for (const author of await em.findAll(Author)) {
      const biography = await em.findOneOrFail(Biography, { author });
      check(biography.author.id, author.id);
    }
  },

  async text_key(em) {
    for (const author of await em.findAll(Author)) {
      const country = await author.country.load();
      check(country.name.startsWith('Country'), true);
    }
  },

  async uuid_key(em) {
    const books = await em.find(Book, { number: { $lte: 20 } });
    for (const book of books) {
      check((await book.chapters.loadItems()).length, 2);
    }
    check(books.length, 20);
  },

  async many_to_many(em) {
    const books = await em.find(Book, { number: { $lte: 12 } }, { orderBy: { number: 'asc' } });
    for (const book of books) {
      check((await book.tags.loadItems()).length, 2);
    }
    check(books.length, 12);
  },

  async counts(em) {
    for (const author of await em.findAll(Author)) {
      check(await author.books.loadCount(), 9);
    }
  },

  async sums(em) {
    for (const author of await em.findAll(Author)) {
      const query = em.createQueryBuilder(Book).select(raw('sum(price) as total')).where({ author });
      check(Number((await query.execute('get')).total) > 0, true);
    }
  },

  async exists(em) {
    for (const author of await em.findAll(Author)) {
      check((await em.findOne(Book, { author }, { fields: ['id'] })) !== null, true);
    }
  },

  async filtered_children(em) {
    for (const author of await em.findAll(Author)) {
      check((await author.books.matching({ where: { published: true } })).length, 6);
    }
  },

  async first_per_parent(em) {
    for (const author of await em.findAll(Author)) {
      const book = await em.findOneOrFail(Book, { author }, { orderBy: { number: 'desc' } });
      check(book.number, 9 * Number(author.id));
    }
  },

  async tree_walk(em) {
    async function walk(shelf) {
      let count = 1;
      for (const child of await shelf.children.loadItems()) {
        count += await walk(child);
      }
      return count;
    }
    check(await walk(await em.findOneOrFail(Shelf, 1)), 43);
  },

  async large_loop(em) {
    let count = 0;
    for (const reader of await em.find(Reader, { id: { $lte: 500 } })) {
      count += (await reader.loans.init()).length;
    }
    check(count, 1000);
  },

  async repeated_pages(em) {
    for (const page of ids(5, 0)) {
      await sleep(page > 0 ? 100 : 0);
      const readers = await em.fork().find(Reader, { id: { $gte: 6 * page + 1, $lte: 6 * page + 6 } });
      for (const reader of readers) {
        check((await reader.loans.loadItems()).length, 2);
      }
      check(readers.length, 6);
    }
  },

  async two_loops_on_a_page(em) {
    for (const author of await em.findAll(Author)) {
      const biography = await em.findOneOrFail(Biography, { author: author.id });
      check(biography.author.id, author.id);
      check(await em.count(Book, { author: author.id }), 9);
    }
  },

  async lookup_loop(em) {
    for (const id of ids(30).map((n) => 3 * n)) {
      check((await em.findOneOrFail(Reader, id)).id, id);
    }
  },

  async lookup_loop_by_email(em) {
    for (const email of ids(25).map((n) => `reader${n}@example.org`)) {
      check((await em.findOneOrFail(Reader, { email })).email, email);
    }
  },

  async composite_lookup(em) {
    for (const orderId of ids(15)) {
      check((await em.findOneOrFail(OrderLine, { orderId, line: 2 })).title, 'Line 2');
    }
  },

  // The identity map knows what it has got; what is asked for in services of their own has a map of its own.
  async duplicates(em) {
    for (const _ of ids(20)) {
      check((await em.fork().findOneOrFail(Setting, 'setting-3')).value, 'value 3');
    }
  },

  async same_parent(em) {
    const chapters = await em.find(Chapter, { book: { author: 1 } }, { populate: ['book'] });
    for (const chapter of chapters) {
      const author = await em.fork().findOneOrFail(Author, chapter.book.$.author.id);
      check(author.name, 'Author 1');
    }
    check(chapters.length, 18);
  },

  insert_loop: insertLoop,
  insert_loop_in_transaction: (em) => em.transactional(insertLoop),
  update_loop: updateLoop,
  update_loop_in_transaction: (em) => em.transactional(updateLoop),

  async delete_loop(em) {
    for (const id of ids(15)) {
      check(await em.nativeDelete(Job, id), 1);
    }
  },

  async transaction_per_row(em) {
    for (const id of ids(15)) {
      await em.transactional(async (em) => {
        const reader = await em.findOneOrFail(Reader, id);
        reader.name = reader.name.toUpperCase();
      });
    }
  },

  async find_or_create(em) {
    for (const n of ids(15)) {
      let tag = await em.findOne(Tag, { name: `new-${n}` });
      if (!tag) {
        tag = em.create(Tag, { id: 100 + n, name: `new-${n}` });
        await em.persist(tag).flush();
      }
      check(tag.id, 100 + n);
    }
  },

  async pool_loop(em) {
    const readers = await em.find(Reader, { id: { $lte: 40 } });
    const loans = await Promise.all(readers.map((reader) => reader.loans.loadItems()));
    check(loans.flat().length, 80);
  },

  async pool_loop_to_one(em) {
    const books = await em.findAll(Book);
    const authors = await Promise.all(books.map((book) => em.fork().findOne(Author, book.author.id)));
    check(authors.filter(Boolean).length, 90);
  },

  async eager_join(em) {
    const authors = await em.findAll(Author, { populate: ['books'], strategy: 'joined' });
    check(authors.flatMap((author) => author.books.getItems()).length, 90);
  },

  async eager_batch(em) {
    const authors = await em.findAll(Author, { populate: ['books.chapters'], strategy: 'select-in' });
    const books = authors.flatMap((author) => author.books.getItems());
    check(books.flatMap((book) => book.chapters.getItems()).length, 180);
  },

  async chunked(em) {
    for (const reader of chunks(ids(200), 10)) {
      check((await em.find(Loan, { reader })).length, 20);
    }
  },

  async chunked_tail(em) {
    for (const id of chunks(ids(78), 7)) {
      check((await em.find(Reader, { id: { $in: id } })).length, id.length);
    }
  },

  async bulk_insert(em) {
    const [first] = await em.insertMany(Event, ids(50).map(event));
    check(Number(first) > 600, true);
  },

  // The unit of work makes one statement of it.
  async bulk_update(em) {
    const readers = await em.find(Reader, { id: { $lte: 50 } });
    for (const reader of readers) {
      reader.name += '!';
    }
    await em.flush();
    check(readers.length, 50);
  },

  async upsert_batch(em) {
    const changed = ids(20).map((n) => ({ name: `setting-${n}`, value: `changed ${n}` }));
    check((await em.upsertMany(Setting, changed)).length, 20);
  },

  async polling(em) {
    for (const _ of ids(15)) {
      const turn = em.fork();
      check(await turn.count(Job, { state: 'waiting' }), 60);
      check((await turn.findOneOrFail(Setting, 'setting-1')).value, 'value 1');
      await sleep(80);
    }
  },

  async heartbeat(em) {
    for (const _ of ids(12)) {
      check(await em.nativeUpdate(Worker, { name: 'worker-1' }, { seenAt: raw('now()') }), 1);
      await sleep(80);
    }
  },

  async offset_pages(em) {
    for (const page of ids(12, 0)) {
      const loans = await em.find(Loan, {}, { orderBy: { id: 'asc' }, limit: 20, offset: 20 * page });
      check(loans.length, 20);
    }
  },

  async keyset_pages(em) {
    let last = 0;
    for (const _ of ids(12)) {
      const loans = await em.find(Loan, { id: { $gt: last } }, { orderBy: { id: 'asc' }, limit: 20 });
      last = loans.at(-1).id;
    }
    check(last, 240);
  },

  async pager_with_count(em) {
    for (const page of ids(8, 0)) {
      const [loans, total] = await em
        .fork()
        .findAndCount(Loan, {}, { orderBy: { id: 'asc' }, limit: 20, offset: 20 * page });
      check(`${total} ${loans.length}`, '1200 20');
      await sleep(80);
    }
  },

  async queue_worker(em) {
    for (const _ of ids(15)) {
      await em.fork().transactional(async (em) => {
        const job = await em.findOneOrFail(
          Job,
          { state: 'waiting' },
          { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
        );
        job.state = 'done';
      });
    }
  },

  async few_children(em) {
    for (const author of await em.find(Author, { id: { $lte: 3 } })) {
      check((await author.books.loadItems()).length, 9);
    }
  },

  async list_then_detail(em) {
    const author = (await em.findAll(Author, { orderBy: { id: 'asc' } }))[4];
    check((await author.books.loadItems()).length, 9);
    check((await em.findOneOrFail(Biography, { author })).body, 'Born in 1905');
    check((await author.country.load()).name, 'Country 5');
  },

  async requests(em) {
    for (const n of ids(12)) {
      await request(em.fork(), n);
      await sleep(80);
    }
  },

  async requests_in_transactions(em) {
    for (const n of ids(12)) {
      await em.fork().transactional((em) => request(em, n));
      await sleep(80);
    }
  },

  async same_user_requests(em) {
    for (const page of ids(12, 0)) {
      const turn = em.fork();
      check((await turn.findOneOrFail(Reader, 7)).name, 'Reader 7');
      check((await turn.find(Loan, {}, { orderBy: { id: 'asc' }, limit: 20, offset: 20 * page })).length, 20);
      await sleep(80);
    }
  },

  order_with_lines: (em) =>
    em.transactional(async (em) => {
      await em.insert(Order, { id: 900, reader: 1 });
      for (const line of ids(3)) {
        await em.insert(OrderLine, { orderId: 900, line, title: `Title ${line}`, quantity: line });
      }
    }),

  async dashboard(em) {
    const one = async (entity, expression) =>
      (await em.createQueryBuilder(entity).select(raw(`${expression} as value`)).execute('get')).value;
    const countBy = (entity, name) =>
      em.createQueryBuilder(entity).select([name, raw('count(*) as count')]).groupBy(name).execute();
    check(await em.count(Reader), 600);
    check((await one(Loan, 'max(id)')) >= 1200, true);
    check((await countBy(Book, 'published')).length, 2);
    check((await countBy(Author, 'country')).length, 10);
    check((await countBy(Job, 'state')).length, 1);
    check((await countBy(Event, 'kind')).length, 7);
    check(await one(Chapter, 'max(position)'), 2);
    check(Number(await one(OrderLine, 'sum(quantity)')), 180);
    check(await em.count(Biography), 10);
    check(await em.count(Tag), 5);
  },

  async date_ranges(em) {
    let total = 0;
    for (const { from, to } of months) {
      total += await em.count(Event, { createdAt: { $gte: from, $lt: to } });
    }
    check(total, 600);
  },

  async cursor(em) {
    const loans = em.createQueryBuilder(Loan).orderBy({ id: 'asc' }).getKnexQuery().stream({ batchSize: 100 });
    let count = 0;
    for await (const _ of loans) {
      count += 1;
    }
    check(count, 1200);
  },

  async rolled_back_test(em) {
    await em.begin();
    const inserted = [];
    for (const n of ids(20)) {
      const created = em.create(Event, event(n));
      await em.persist(created).flush();
      inserted.push(created.id);
    }
    em.clear();
    for (const [n, id] of inserted.entries()) {
      check((await em.findOneOrFail(Event, id)).kind, event(n + 1).kind);
    }
    await em.rollback();
  },

  async unnest_join(em) {
    const loans = await em.execute(
      'select l.* from unnest(array[?]) as wanted (id) join loans l on l.reader_id = wanted.id',
      [ids(100)],
    );
    check(loans.length, 200);
  },
};

await main(scenarios, connect, (em) => em.getConnection().close());
