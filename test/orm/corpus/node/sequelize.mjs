// Sequelize: models with associations, getBooks() and its like for what is lazy, include for what is eager.

import { DataTypes, Op, QueryTypes, Sequelize } from 'sequelize';
import { check, chunks, event, ids, main, months, settings, sleep } from './common.mjs';

const { BIGINT, BOOLEAN, DATE, DATEONLY, DECIMAL, INTEGER, TEXT, UUID } = DataTypes;

function connect(max) {
  const { applicationName, user, ...options } = settings('sequelize');
  const sequelize = new Sequelize({
    ...options,
    username: user,
    dialect: 'postgres',
    dialectOptions: { application_name: applicationName },
    pool: { max },
    logging: false,
    define: { underscored: true, timestamps: false },
  });
  return { sequelize, ...defineModels(sequelize) };
}

function defineModels(sequelize) {
  const key = (type) => ({ type, primaryKey: true });
  const serial = (type) => ({ type, primaryKey: true, autoIncrement: true });

  const Country = sequelize.define('Country', { code: key(TEXT), name: TEXT }, { tableName: 'countries' });
  const Author = sequelize.define('Author', { id: key(BIGINT), name: TEXT, active: BOOLEAN });
  const Biography = sequelize.define('Biography', { id: key(INTEGER), body: TEXT }, { tableName: 'biographies' });
  const Book = sequelize.define('Book', {
    id: key(UUID),
    number: INTEGER,
    title: TEXT,
    published: BOOLEAN,
    price: DECIMAL(8, 2),
  });
  const Chapter = sequelize.define('Chapter', { id: serial(INTEGER), position: INTEGER, title: TEXT });
  const Tag = sequelize.define('Tag', { id: key(INTEGER), name: TEXT });
  const Shelf = sequelize.define('Shelf', { id: key(INTEGER), name: TEXT }, { tableName: 'shelves' });
  const Reader = sequelize.define('Reader', { id: key(INTEGER), name: TEXT, email: TEXT });
  const Loan = sequelize.define('Loan', { id: serial(INTEGER), day: DATEONLY });
  const Order = sequelize.define('Order', { id: key(INTEGER) });
  const OrderLine = sequelize.define('OrderLine', {
    orderId: key(INTEGER),
    line: key(INTEGER),
    title: TEXT,
    quantity: INTEGER,
  });
  const Job = sequelize.define('Job', { id: serial(INTEGER), state: TEXT, payload: TEXT });
  const Event = sequelize.define(
    'Event',
    { id: serial(BIGINT), kind: TEXT, createdAt: DATE },
    { tableName: 'events' },
  );
  const Worker = sequelize.define('Worker', { name: key(TEXT), seenAt: DATE });
  const Setting = sequelize.define('Setting', { name: key(TEXT), value: TEXT });

  Country.hasMany(Author, { foreignKey: 'countryCode', as: 'authors' });
  Author.belongsTo(Country, { foreignKey: 'countryCode', as: 'country' });
  Author.hasOne(Biography, { foreignKey: 'authorId', as: 'biography' });
  Author.hasMany(Book, { foreignKey: 'authorId', as: 'books' });
  Book.belongsTo(Author, { foreignKey: 'authorId', as: 'author' });
  Book.hasMany(Chapter, { foreignKey: 'bookId', as: 'chapters' });
  Chapter.belongsTo(Book, { foreignKey: 'bookId', as: 'book' });
  const bookTags = { through: 'book_tags', timestamps: false };
  Book.belongsToMany(Tag, { ...bookTags, foreignKey: 'bookId', otherKey: 'tagId', as: 'tags' });
  Shelf.hasMany(Shelf, { foreignKey: 'parentId', as: 'children' });
  Reader.hasMany(Loan, { foreignKey: 'readerId', as: 'loans' });
  Loan.belongsTo(Book, { foreignKey: 'bookId', as: 'book' });
  Order.belongsTo(Reader, { foreignKey: 'readerId', as: 'reader' });
  Order.hasMany(OrderLine, { foreignKey: 'orderId', as: 'lines' });

  return {
    Country, Author, Biography, Book, Chapter, Tag, Shelf, Reader, Loan, Order, OrderLine, Job, Event, Worker, Setting,
  };
}

// What happens in a transaction has to be told of it, statement by statement.

async function lazyToMany({ Author }, transaction) {
  let count = 0;
  for (const author of await Author.findAll({ transaction })) {
    count += (await author.getBooks({ transaction })).length;
  }
  check(count, 90);
}

async function nested({ Author }, transaction) {
  let count = 0;
  for (const author of await Author.findAll({ transaction })) {
    for (const book of await author.getBooks({ transaction })) {
      count += (await book.getChapters({ transaction })).length;
    }
  }
  check(count, 180);
}

async function updateLoop({ Reader }, transaction) {
  const readers = await Reader.findAll({ where: { id: { [Op.lte]: 20 } }, transaction });
  for (const reader of readers) {
    reader.name += '!';
    await reader.save({ transaction });
  }
  check(readers.length, 20);
}

async function insertLoop({ Event }, transaction) {
  for (const n of ids(20)) {
    check(Number((await Event.create(event(n), { transaction })).id) > 600, true);
  }
}

async function request({ Reader }, n, transaction) {
  const reader = await Reader.findByPk(5 * n, { transaction });
  const loans = await reader.getLoans({ transaction });
  const book = await loans[0].getBook({ transaction });
  check(book.title.startsWith('Book'), true);
}

const scenarios = {
  async lazy_to_one({ Book, sequelize }) {
    const books = await Book.findAll({ where: sequelize.literal('number % 9 = 1') });
    for (const book of books) {
      check((await book.getAuthor()).id, book.authorId);
    }
    check(books.length, 10);
  },

  lazy_to_many: (db) => lazyToMany(db),
  lazy_to_many_in_transaction: (db) => db.sequelize.transaction((transaction) => lazyToMany(db, transaction)),
  nested: (db) => nested(db),
  nested_in_transaction: (db) => db.sequelize.transaction((transaction) => nested(db, transaction)),

  async one_to_one({ Author }) {
    for (const author of await Author.findAll()) {
      check((await author.getBiography()).authorId, author.id);
    }
  },

  async text_key({ Author }) {
    for (const author of await Author.findAll()) {
      check((await author.getCountry()).code, author.countryCode);
    }
  },

  async uuid_key({ Book }) {
    const books = await Book.findAll({ where: { number: { [Op.lte]: 20 } } });
    for (const book of books) {
      check((await book.getChapters()).length, 2);
    }
    check(books.length, 20);
  },

  async many_to_many({ Book }) {
    const books = await Book.findAll({ where: { number: { [Op.lte]: 12 } }, order: ['number'] });
    for (const book of books) {
      check((await book.getTags()).length, 2);
    }
    check(books.length, 12);
  },

  async counts({ Author }) {
    for (const author of await Author.findAll()) {
      check(await author.countBooks(), 9);
    }
  },

  async sums({ Author, Book }) {
    for (const author of await Author.findAll()) {
      check((await Book.sum('price', { where: { authorId: author.id } })) > 0, true);
    }
  },

  async exists({ Author, Book }) {
    for (const author of await Author.findAll()) {
      const any = await Book.findOne({ where: { authorId: author.id }, attributes: ['id'] });
      check(any !== null, true);
    }
  },

  async filtered_children({ Author }) {
    for (const author of await Author.findAll()) {
      check((await author.getBooks({ where: { published: true } })).length, 6);
    }
  },

  async first_per_parent({ Author, Book }) {
    for (const author of await Author.findAll()) {
      const book = await Book.findOne({ where: { authorId: author.id }, order: [['number', 'DESC']] });
      check(book.number, 9 * author.id);
    }
  },

  async tree_walk({ Shelf }) {
    async function walk(shelf) {
      let count = 1;
      for (const child of await shelf.getChildren()) {
        count += await walk(child);
      }
      return count;
    }
    check(await walk(await Shelf.findByPk(1)), 43);
  },

  async large_loop({ Reader }) {
    let count = 0;
    for (const reader of await Reader.findAll({ where: { id: { [Op.lte]: 500 } } })) {
      count += (await reader.getLoans()).length;
    }
    check(count, 1000);
  },

  async repeated_pages({ Reader }) {
    for (const page of ids(5, 0)) {
      await sleep(page > 0 ? 100 : 0);
      const readers = await Reader.findAll({ where: { id: { [Op.between]: [6 * page + 1, 6 * page + 6] } } });
      for (const reader of readers) {
        check((await reader.getLoans()).length, 2);
      }
      check(readers.length, 6);
    }
  },

  async two_loops_on_a_page({ Author }) {
    for (const author of await Author.findAll()) {
      check((await author.getBiography()).authorId, author.id);
      check(await author.countBooks(), 9);
    }
  },

  async lookup_loop({ Reader }) {
    for (const id of ids(30).map((n) => 3 * n)) {
      check((await Reader.findByPk(id)).id, id);
    }
  },

  async lookup_loop_by_email({ Reader }) {
    for (const email of ids(25).map((n) => `reader${n}@example.org`)) {
      check((await Reader.findOne({ where: { email } })).email, email);
    }
  },

  async composite_lookup({ OrderLine }) {
    for (const orderId of ids(15)) {
      check((await OrderLine.findOne({ where: { orderId, line: 2 } })).title, 'Line 2');
    }
  },

  async duplicates({ Setting }) {
    for (const _ of ids(20)) {
      check((await Setting.findByPk('setting-3')).value, 'value 3');
    }
  },

  async same_parent({ Author, Book, Chapter }) {
    const chapters = await Chapter.findAll({
      include: { model: Book, as: 'book', where: { authorId: 1 } },
    });
    for (const chapter of chapters) {
      check((await Author.findByPk(chapter.book.authorId)).name, 'Author 1');
    }
    check(chapters.length, 18);
  },

  insert_loop: (db) => insertLoop(db),
  insert_loop_in_transaction: (db) => db.sequelize.transaction((transaction) => insertLoop(db, transaction)),
  update_loop: (db) => updateLoop(db),
  update_loop_in_transaction: (db) => db.sequelize.transaction((transaction) => updateLoop(db, transaction)),

  async delete_loop({ Job }) {
    for (const id of ids(15)) {
      check(await Job.destroy({ where: { id } }), 1);
    }
  },

  async transaction_per_row(db) {
    for (const id of ids(15)) {
      await db.sequelize.transaction(async (transaction) => {
        const reader = await db.Reader.findByPk(id, { transaction });
        await reader.update({ name: reader.name.toUpperCase() }, { transaction });
      });
    }
  },

  async find_or_create({ Tag }) {
    for (const n of ids(15)) {
      const [tag, created] = await Tag.findOrCreate({ where: { name: `new-${n}` }, defaults: { id: 100 + n } });
      check(created, true);
      check(tag.id, 100 + n);
    }
  },

  async pool_loop({ Reader }) {
    const readers = await Reader.findAll({ where: { id: { [Op.lte]: 40 } } });
    const loans = await Promise.all(readers.map((reader) => reader.getLoans()));
    check(loans.flat().length, 80);
  },

  async pool_loop_to_one({ Author, Book }) {
    const books = await Book.findAll();
    const authors = await Promise.all(books.map((book) => Author.findByPk(book.authorId)));
    check(authors.filter(Boolean).length, 90);
  },

  async eager_join({ Author }) {
    const authors = await Author.findAll({ include: 'books' });
    check(authors.flatMap((author) => author.books).length, 90);
  },

  async eager_batch({ Author, Book, Chapter }) {
    const chapters = { model: Chapter, as: 'chapters', separate: true };
    const authors = await Author.findAll({
      include: { model: Book, as: 'books', separate: true, include: chapters },
    });
    check(authors.flatMap((author) => author.books).flatMap((book) => book.chapters).length, 180);
  },

  async chunked({ Loan }) {
    for (const readerId of chunks(ids(200), 10)) {
      check((await Loan.findAll({ where: { readerId } })).length, 20);
    }
  },

  async chunked_tail({ Reader }) {
    for (const id of chunks(ids(78), 7)) {
      check((await Reader.findAll({ where: { id } })).length, id.length);
    }
  },

  async bulk_insert({ Event }) {
    check((await Event.bulkCreate(ids(50).map(event))).length, 50);
  },

  async bulk_update({ Reader }) {
    const [count] = await Reader.update({ name: 'Changed' }, { where: { id: { [Op.between]: [1, 50] } } });
    check(count, 50);
  },

  async upsert_batch({ Setting }) {
    const changed = await Setting.bulkCreate(
      ids(20).map((n) => ({ name: `setting-${n}`, value: `changed ${n}` })),
      { updateOnDuplicate: ['value'] },
    );
    check(changed.length, 20);
  },

  async polling({ Job, Setting }) {
    for (const _ of ids(15)) {
      check(await Job.count({ where: { state: 'waiting' } }), 60);
      check((await Setting.findByPk('setting-1')).value, 'value 1');
      await sleep(80);
    }
  },

  async heartbeat({ Worker, sequelize }) {
    for (const _ of ids(12)) {
      const [count] = await Worker.update({ seenAt: sequelize.fn('now') }, { where: { name: 'worker-1' } });
      check(count, 1);
      await sleep(80);
    }
  },

  async offset_pages({ Loan }) {
    for (const page of ids(12, 0)) {
      check((await Loan.findAll({ order: ['id'], limit: 20, offset: 20 * page })).length, 20);
    }
  },

  async keyset_pages({ Loan }) {
    let last = 0;
    for (const _ of ids(12)) {
      const loans = await Loan.findAll({ where: { id: { [Op.gt]: last } }, order: ['id'], limit: 20 });
      last = loans.at(-1).id;
    }
    check(last, 240);
  },

  async pager_with_count({ Loan }) {
    for (const page of ids(8, 0)) {
      const { count, rows } = await Loan.findAndCountAll({ order: ['id'], limit: 20, offset: 20 * page });
      check(`${count} ${rows.length}`, '1200 20');
      await sleep(80);
    }
  },

  async queue_worker(db) {
    for (const _ of ids(15)) {
      await db.sequelize.transaction(async (transaction) => {
        const job = await db.Job.findOne({
          where: { state: 'waiting' },
          order: ['id'],
          lock: transaction.LOCK.UPDATE,
          skipLocked: true,
          transaction,
        });
        await job.update({ state: 'done' }, { transaction });
      });
    }
  },

  async few_children({ Author }) {
    for (const author of await Author.findAll({ where: { id: [1, 2, 3] } })) {
      check((await author.getBooks()).length, 9);
    }
  },

  async list_then_detail({ Author }) {
    const author = (await Author.findAll())[4];
    check((await author.getBooks()).length, 9);
    check((await author.getBiography()).authorId, author.id);
    check((await author.getCountry()).code, author.countryCode);
  },

  async requests(db) {
    for (const n of ids(12)) {
      await request(db, n);
      await sleep(80);
    }
  },

  async requests_in_transactions(db) {
    for (const n of ids(12)) {
      await db.sequelize.transaction((transaction) => request(db, n, transaction));
      await sleep(80);
    }
  },

  async same_user_requests({ Loan, Reader }) {
    for (const page of ids(12, 0)) {
      check((await Reader.findByPk(7)).name, 'Reader 7');
      check((await Loan.findAll({ order: ['id'], limit: 20, offset: 20 * page })).length, 20);
      await sleep(80);
    }
  },

  order_with_lines: (db) =>
    db.sequelize.transaction(async (transaction) => {
      const order = await db.Order.create({ id: 900, readerId: 1 }, { transaction });
      for (const line of ids(3)) {
        await order.createLine({ line, title: `Title ${line}`, quantity: line }, { transaction });
      }
    }),

  async dashboard({ Author, Biography, Book, Chapter, Event, Job, Loan, OrderLine, Reader, Worker, sequelize }) {
    const countBy = (column) => ({
      attributes: [column, [sequelize.fn('count', sequelize.col('*')), 'count']],
      group: column,
      raw: true,
    });
    check(await Reader.count(), 600);
    check(await Loan.max('day'), '2026-10-27');
    check((await Book.findAll(countBy('published'))).length, 2);
    check((await Author.findAll(countBy('country_code'))).length, 10);
    check((await Job.findAll(countBy('state'))).length, 1);
    check((await Event.findAll(countBy('kind'))).length, 7);
    check(await Chapter.max('position'), 2);
    check(await OrderLine.sum('quantity'), 180);
    check(await Biography.count(), 10);
    check((await Worker.min('seenAt')) !== null, true);
  },

  async date_ranges({ Event }) {
    let total = 0;
    for (const { from, to } of months) {
      total += await Event.count({ where: { createdAt: { [Op.gte]: from, [Op.lt]: to } } });
    }
    check(total, 600);
  },

  // It has no cursors of its own.
  cursor: (db) =>
    db.sequelize.transaction(async (transaction) => {
      await db.sequelize.query('DECLARE all_loans CURSOR FOR SELECT * FROM loans ORDER BY id', { transaction });
      const fetch = () => db.sequelize.query('FETCH 100 FROM all_loans', { type: QueryTypes.SELECT, transaction });
      let count = 0;
      for (let batch = await fetch(); batch.length > 0; batch = await fetch()) {
        count += batch.length;
      }
      check(count, 1200);
    }),

  async rolled_back_test(db) {
    const transaction = await db.sequelize.transaction();
    const inserted = [];
    for (const n of ids(20)) {
      inserted.push((await db.Event.create(event(n), { transaction })).id);
    }
    for (const [n, id] of inserted.entries()) {
      check((await db.Event.findByPk(id, { transaction })).kind, event(n + 1).kind);
    }
    await transaction.rollback();
  },

  async unnest_join({ sequelize }) {
    const loans = await sequelize.query(
      'SELECT l.* FROM unnest($ids::int[]) AS wanted (id) JOIN loans l ON l.reader_id = wanted.id',
      { bind: { ids: ids(100) }, type: QueryTypes.SELECT },
    );
    check(loans.length, 200);
  },
};

await main(scenarios, connect, ({ sequelize }) => sequelize.close());
