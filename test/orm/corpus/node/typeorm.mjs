// TypeORM: repositories, and entities whose relations are lazy, that is to say promises. The entities are schemas
// and not classes with decorators because nothing is compiled here; TypeORM makes the same of both.

import 'reflect-metadata';
import {
  And, Between, DataSource, EntitySchema, In, IsNull, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual, Raw,
} from 'typeorm';
import { check, chunks, event, ids, main, months, settings, sleep } from './common.mjs';

const key = (type) => ({ type, primary: true });
const serial = (type) => ({ type, primary: true, generated: true });
const column = (type, name) => ({ type, name });
const toOne = (target, inverseSide, name, type = 'many-to-one') => ({
  type,
  target,
  inverseSide,
  joinColumn: { name },
  lazy: true,
});
const toMany = (target, inverseSide) => ({ type: 'one-to-many', target, inverseSide, lazy: true });

const Country = new EntitySchema({
  name: 'Country',
  tableName: 'countries',
  columns: { code: key('text'), name: column('text') },
  relations: { authors: toMany('Author', 'country') },
});

const Author = new EntitySchema({
  name: 'Author',
  tableName: 'authors',
  columns: {
    id: key('bigint'),
    countryCode: column('text', 'country_code'),
    name: column('text'),
    active: column('boolean'),
  },
  relations: {
    country: toOne('Country', 'authors', 'country_code'),
    biography: { type: 'one-to-one', target: 'Biography', inverseSide: 'author', lazy: true },
    books: toMany('Book', 'author'),
  },
});

const Biography = new EntitySchema({
  name: 'Biography',
  tableName: 'biographies',
  columns: { id: key('integer'), authorId: column('bigint', 'author_id'), body: column('text') },
  relations: { author: toOne('Author', 'biography', 'author_id', 'one-to-one') },
});

const Book = new EntitySchema({
  name: 'Book',
  tableName: 'books',
  columns: {
    id: key('uuid'),
    number: column('integer'),
    authorId: column('bigint', 'author_id'),
    title: column('text'),
    published: column('boolean'),
    price: { type: 'numeric', precision: 8, scale: 2 },
  },
  relations: {
    author: toOne('Author', 'books', 'author_id'),
    chapters: toMany('Chapter', 'book'),
    tags: {
      type: 'many-to-many',
      target: 'Tag',
      lazy: true,
      joinTable: { name: 'book_tags', joinColumn: { name: 'book_id' }, inverseJoinColumn: { name: 'tag_id' } },
    },
  },
});

const Chapter = new EntitySchema({
  name: 'Chapter',
  tableName: 'chapters',
  columns: {
    id: serial('integer'),
    bookId: column('uuid', 'book_id'),
    position: column('integer'),
    title: column('text'),
  },
  relations: { book: toOne('Book', 'chapters', 'book_id') },
});

const Tag = new EntitySchema({
  name: 'Tag',
  tableName: 'tags',
  columns: { id: key('integer'), name: column('text') },
});

const Shelf = new EntitySchema({
  name: 'Shelf',
  tableName: 'shelves',
  columns: { id: key('integer'), name: column('text') },
  relations: { parent: toOne('Shelf', 'children', 'parent_id'), children: toMany('Shelf', 'parent') },
});

const Reader = new EntitySchema({
  name: 'Reader',
  tableName: 'readers',
  columns: { id: key('integer'), name: column('text'), email: column('text') },
  relations: { loans: toMany('Loan', 'reader') },
});

const Loan = new EntitySchema({
  name: 'Loan',
  tableName: 'loans',
  columns: {
    id: serial('integer'),
    readerId: column('integer', 'reader_id'),
    bookId: column('uuid', 'book_id'),
    day: column('date'),
  },
  relations: {
    reader: toOne('Reader', 'loans', 'reader_id'),
    book: { type: 'many-to-one', target: 'Book', joinColumn: { name: 'book_id' }, lazy: true },
  },
});

const Order = new EntitySchema({
  name: 'Order',
  tableName: 'orders',
  columns: { id: key('integer'), readerId: column('integer', 'reader_id') },
});

const OrderLine = new EntitySchema({
  name: 'OrderLine',
  tableName: 'order_lines',
  columns: {
    orderId: { ...key('integer'), name: 'order_id' },
    line: key('integer'),
    title: column('text'),
    quantity: column('integer'),
  },
});

const Job = new EntitySchema({
  name: 'Job',
  tableName: 'jobs',
  columns: { id: serial('integer'), state: column('text'), payload: column('text') },
});

const Event = new EntitySchema({
  name: 'Event',
  tableName: 'events',
  columns: { id: serial('bigint'), kind: column('text'), createdAt: column('timestamptz', 'created_at') },
});

const Worker = new EntitySchema({
  name: 'Worker',
  tableName: 'workers',
  columns: { name: key('text'), seenAt: column('timestamptz', 'seen_at') },
});

const Setting = new EntitySchema({
  name: 'Setting',
  tableName: 'settings',
  columns: { name: key('text'), value: column('text') },
});

function connect(poolSize) {
  const { user, ...options } = settings('typeorm');
  return new DataSource({
    type: 'postgres',
    ...options,
    username: user,
    poolSize,
    entities: [
      Country, Author, Biography, Book, Chapter, Tag, Shelf, Reader, Loan, Order, OrderLine, Job, Event, Worker,
      Setting,
    ],
  }).initialize();
}

// Scenarios get a data source or, in a transaction, its entity manager; both know their repositories.

async function lazyToMany(db) {
  let count = 0;
  for (const author of await db.getRepository(Author).find()) {
    count += (await author.books).length;
  }
  check(count, 90);
}

async function nested(db) {
  let count = 0;
  for (const author of await db.getRepository(Author).find()) {
    for (const book of await author.books) {
      count += (await book.chapters).length;
    }
  }
  check(count, 180);
}

async function updateLoop(db) {
  const repository = db.getRepository(Reader);
  const readers = await repository.findBy({ id: LessThanOrEqual(20) });
  for (const reader of readers) {
    reader.name += '!';
    await repository.save(reader);
  }
  check(readers.length, 20);
}

async function insertLoop(db) {
  const repository = db.getRepository(Event);
  for (const n of ids(20)) {
    const saved = await repository.save(repository.create(event(n)));
    check(Number(saved.id) > 600, true);
  }
}

async function request(db, n) {
  const reader = await db.getRepository(Reader).findOneBy({ id: 5 * n });
  const loans = await db.getRepository(Loan).findBy({ readerId: reader.id });
  const book = await db.getRepository(Book).findOneBy({ id: loans[0].bookId });
  check(book.title.startsWith('Book'), true);
}

const scenarios = {
  async lazy_to_one(db) {
    const books = await db.getRepository(Book).findBy({ number: Raw((number) => `${number} % 9 = 1`) });
    for (const book of books) {
      check((await book.author).id, book.authorId);
    }
    check(books.length, 10);
  },

  lazy_to_many: lazyToMany,
  lazy_to_many_in_transaction: (db) => db.transaction(lazyToMany),
  nested,
  nested_in_transaction: (db) => db.transaction(nested),

  async one_to_one(db) {
    for (const author of await db.getRepository(Author).find()) {
      check((await author.biography).authorId, author.id);
    }
  },

  async text_key(db) {
    for (const author of await db.getRepository(Author).find()) {
      const country = await db.getRepository(Country).findOneBy({ code: author.countryCode });
      check(country.code, author.countryCode);
    }
  },

  async uuid_key(db) {
    const books = await db.getRepository(Book).findBy({ number: LessThanOrEqual(20) });
    for (const book of books) {
      check((await book.chapters).length, 2);
    }
    check(books.length, 20);
  },

  async many_to_many(db) {
    const first = { number: LessThanOrEqual(12) };
    const books = await db.getRepository(Book).find({ where: first, order: { number: 'ASC' } });
    for (const book of books) {
      check((await book.tags).length, 2);
    }
    check(books.length, 12);
  },

  async counts(db) {
    for (const author of await db.getRepository(Author).find()) {
      check(await db.getRepository(Book).countBy({ authorId: author.id }), 9);
    }
  },

  async sums(db) {
    for (const author of await db.getRepository(Author).find()) {
      check((await db.getRepository(Book).sum('price', { authorId: author.id })) > 0, true);
    }
  },

  async exists(db) {
    for (const author of await db.getRepository(Author).find()) {
      check(await db.getRepository(Book).existsBy({ authorId: author.id }), true);
    }
  },

  async filtered_children(db) {
    for (const author of await db.getRepository(Author).find()) {
      check((await db.getRepository(Book).findBy({ authorId: author.id, published: true })).length, 6);
    }
  },

  async first_per_parent(db) {
    for (const author of await db.getRepository(Author).find()) {
      const book = await db.getRepository(Book).findOne({ where: { authorId: author.id }, order: { number: 'DESC' } });
      check(book.number, 9 * author.id);
    }
  },

  async tree_walk(db) {
    async function walk(shelf) {
      let count = 1;
      for (const child of await shelf.children) {
        count += await walk(child);
      }
      return count;
    }
    check(await walk(await db.getRepository(Shelf).findOneBy({ parent: IsNull() })), 43);
  },

  async large_loop(db) {
    let count = 0;
    for (const reader of await db.getRepository(Reader).findBy({ id: LessThanOrEqual(500) })) {
      count += (await reader.loans).length;
    }
    check(count, 1000);
  },

  async repeated_pages(db) {
    for (const page of ids(5, 0)) {
      await sleep(page > 0 ? 100 : 0);
      const readers = await db.getRepository(Reader).findBy({ id: Between(6 * page + 1, 6 * page + 6) });
      for (const reader of readers) {
        check((await db.getRepository(Loan).findBy({ readerId: reader.id })).length, 2);
      }
      check(readers.length, 6);
    }
  },

  async two_loops_on_a_page(db) {
    for (const author of await db.getRepository(Author).find()) {
      check((await author.biography).authorId, author.id);
      check(await db.getRepository(Book).count({ where: { author: { id: author.id } } }), 9);
    }
  },

  async lookup_loop(db) {
    for (const id of ids(30).map((n) => 3 * n)) {
      check((await db.getRepository(Reader).findOneBy({ id })).id, id);
    }
  },

  async lookup_loop_by_email(db) {
    for (const email of ids(25).map((n) => `reader${n}@example.org`)) {
      check((await db.getRepository(Reader).findOne({ where: { email } })).email, email);
    }
  },

  async composite_lookup(db) {
    for (const orderId of ids(15)) {
      check((await db.getRepository(OrderLine).findOneBy({ orderId, line: 2 })).title, 'Line 2');
    }
  },

  async duplicates(db) {
    for (const _ of ids(20)) {
      check((await db.getRepository(Setting).findOneByOrFail({ name: 'setting-3' })).value, 'value 3');
    }
  },

  async same_parent(db) {
    const chapters = await db.getRepository(Chapter).find({
      where: { book: { author: { id: 1 } } },
      relations: { book: true },
    });
    for (const chapter of chapters) {
      const { authorId } = await chapter.book;
      check((await db.getRepository(Author).findOneBy({ id: authorId })).name, 'Author 1');
    }
    check(chapters.length, 18);
  },

  insert_loop: insertLoop,
  insert_loop_in_transaction: (db) => db.transaction(insertLoop),
  update_loop: updateLoop,
  update_loop_in_transaction: (db) => db.transaction(updateLoop),

  async delete_loop(db) {
    for (const id of ids(15)) {
      check((await db.getRepository(Job).delete(id)).affected, 1);
    }
  },

  async transaction_per_row(db) {
    for (const id of ids(15)) {
      await db.transaction(async (manager) => {
        const reader = await manager.findOneByOrFail(Reader, { id });
        reader.name = reader.name.toUpperCase();
        await manager.save(Reader, reader);
      });
    }
  },

  async find_or_create(db) {
    const repository = db.getRepository(Tag);
    for (const n of ids(15)) {
      let tag = await repository.findOneBy({ name: `new-${n}` });
      if (!tag) {
        tag = await repository.save({ id: 100 + n, name: `new-${n}` });
      }
      check(tag.id, 100 + n);
    }
  },

  async pool_loop(db) {
    const readers = await db.getRepository(Reader).findBy({ id: LessThanOrEqual(40) });
    const loans = await Promise.all(readers.map((reader) => reader.loans));
    check(loans.flat().length, 80);
  },

  async pool_loop_to_one(db) {
    const books = await db.getRepository(Book).find();
    const authors = await Promise.all(books.map((book) => db.getRepository(Author).findOneBy({ id: book.authorId })));
    check(authors.filter(Boolean).length, 90);
  },

  async eager_join(db) {
    const authors = await db.getRepository(Author).find({ relations: { books: true } });
    const books = await Promise.all(authors.map((author) => author.books));
    check(books.flat().length, 90);
  },

  async eager_batch(db) {
    const authors = await db.getRepository(Author).find({
      relations: { books: { chapters: true } },
      relationLoadStrategy: 'query',
    });
    const books = (await Promise.all(authors.map((author) => author.books))).flat();
    const chapters = (await Promise.all(books.map((book) => book.chapters))).flat();
    check(chapters.length, 180);
  },

  async chunked(db) {
    for (const chunk of chunks(ids(200), 10)) {
      check((await db.getRepository(Loan).findBy({ readerId: In(chunk) })).length, 20);
    }
  },

  async chunked_tail(db) {
    for (const chunk of chunks(ids(78), 7)) {
      check((await db.getRepository(Reader).findBy({ id: In(chunk) })).length, chunk.length);
    }
  },

  async bulk_insert(db) {
    check((await db.getRepository(Event).insert(ids(50).map(event))).identifiers.length, 50);
  },

  async bulk_update(db) {
    check((await db.getRepository(Reader).update({ id: Between(1, 50) }, { name: 'Changed' })).affected, 50);
  },

  async upsert_batch(db) {
    const changed = ids(20).map((n) => ({ name: `setting-${n}`, value: `changed ${n}` }));
    check((await db.getRepository(Setting).upsert(changed, ['name'])).identifiers.length, 20);
  },

  async polling(db) {
    for (const _ of ids(15)) {
      check(await db.getRepository(Job).countBy({ state: 'waiting' }), 60);
      check((await db.getRepository(Setting).findOneBy({ name: 'setting-1' })).value, 'value 1');
      await sleep(80);
    }
  },

  async heartbeat(db) {
    for (const _ of ids(12)) {
      const { affected } = await db.getRepository(Worker).update({ name: 'worker-1' }, { seenAt: () => 'now()' });
      check(affected, 1);
      await sleep(80);
    }
  },

  async offset_pages(db) {
    for (const page of ids(12, 0)) {
      check((await db.getRepository(Loan).find({ order: { id: 'ASC' }, take: 20, skip: 20 * page })).length, 20);
    }
  },

  async keyset_pages(db) {
    let last = 0;
    for (const _ of ids(12)) {
      const next = { id: MoreThan(last) };
      const loans = await db.getRepository(Loan).find({ where: next, order: { id: 'ASC' }, take: 20 });
      last = loans.at(-1).id;
    }
    check(last, 240);
  },

  async pager_with_count(db) {
    for (const page of ids(8, 0)) {
      const [loans, total] = await db.getRepository(Loan).findAndCount({
        order: { id: 'ASC' },
        take: 20,
        skip: 20 * page,
      });
      check(`${total} ${loans.length}`, '1200 20');
      await sleep(80);
    }
  },

  async queue_worker(db) {
    for (const _ of ids(15)) {
      await db.transaction(async (manager) => {
        const job = await manager.findOne(Job, {
          where: { state: 'waiting' },
          order: { id: 'ASC' },
          lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
        });
        await manager.update(Job, job.id, { state: 'done' });
      });
    }
  },

  async few_children(db) {
    for (const author of await db.getRepository(Author).findBy({ id: LessThanOrEqual(3) })) {
      check((await author.books).length, 9);
    }
  },

  async list_then_detail(db) {
    const author = (await db.getRepository(Author).find({ order: { id: 'ASC' } }))[4];
    check((await author.books).length, 9);
    check((await author.biography).authorId, author.id);
    check((await author.country).code, author.countryCode);
  },

  async requests(db) {
    for (const n of ids(12)) {
      await request(db, n);
      await sleep(80);
    }
  },

  async requests_in_transactions(db) {
    for (const n of ids(12)) {
      await db.transaction((manager) => request(manager, n));
      await sleep(80);
    }
  },

  async same_user_requests(db) {
    for (const page of ids(12, 0)) {
      check((await db.getRepository(Reader).findOneBy({ id: 7 })).name, 'Reader 7');
      check((await db.getRepository(Loan).find({ order: { id: 'ASC' }, take: 20, skip: 20 * page })).length, 20);
      await sleep(80);
    }
  },

  order_with_lines: (db) =>
    db.transaction(async (manager) => {
      const order = await manager.save(Order, { id: 900, readerId: 1 });
      for (const line of ids(3)) {
        await manager.save(OrderLine, { orderId: order.id, line, title: `Title ${line}`, quantity: line });
      }
    }),

  async dashboard(db) {
    const countBy = (entity, name) =>
      db
        .getRepository(entity)
        .createQueryBuilder('row')
        .select(`row.${name}`, 'name')
        .addSelect('COUNT(*)', 'count')
        .groupBy(`row.${name}`)
        .getRawMany();
    check(await db.getRepository(Reader).count(), 600);
    check((await db.getRepository(Loan).maximum('id')) >= 1200, true);
    check((await countBy(Book, 'published')).length, 2);
    check((await countBy(Author, 'countryCode')).length, 10);
    check((await countBy(Job, 'state')).length, 1);
    check((await countBy(Event, 'kind')).length, 7);
    check(await db.getRepository(Chapter).maximum('position'), 2);
    check(await db.getRepository(OrderLine).sum('quantity'), 180);
    check(await db.getRepository(Biography).count(), 10);
    check(await db.getRepository(Tag).count(), 5);
  },

  async date_ranges(db) {
    let total = 0;
    for (const { from, to } of months) {
      total += await db.getRepository(Event).countBy({ createdAt: And(MoreThanOrEqual(from), LessThan(to)) });
    }
    check(total, 600);
  },

  async cursor(db) {
    const loans = await db.getRepository(Loan).createQueryBuilder('loan').orderBy('loan.id').stream();
    let count = 0;
    for await (const _ of loans) {
      count += 1;
    }
    check(count, 1200);
  },

  async rolled_back_test(db) {
    const runner = db.createQueryRunner();
    await runner.startTransaction();
    const repository = runner.manager.getRepository(Event);
    const inserted = [];
    for (const n of ids(20)) {
      inserted.push((await repository.save(event(n))).id);
    }
    for (const [n, id] of inserted.entries()) {
      check((await repository.findOneBy({ id })).kind, event(n + 1).kind);
    }
    await runner.rollbackTransaction();
    await runner.release();
  },

  async unnest_join(db) {
    const loans = await db.query(
      'SELECT l.* FROM unnest($1::int[]) AS wanted (id) JOIN loans l ON l.reader_id = wanted.id',
      [ids(100)],
    );
    check(loans.length, 200);
  },
};

await main(scenarios, connect, (db) => db.destroy());
