// A page's budget with node:test over Sequelize. One connection in the pool: a block belongs to its session.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DataTypes, Sequelize } from 'sequelize';

const sequelize = new Sequelize({
  dialect: 'postgres',
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  username: process.env.PGUSER,
  database: process.env.PGDATABASE,
  pool: { max: 1 },
  logging: false,
  define: { underscored: true, timestamps: false },
});
const Author = sequelize.define('Author', { id: { type: DataTypes.BIGINT, primaryKey: true }, name: DataTypes.TEXT });
const Book = sequelize.define('Book', { id: { type: DataTypes.UUID, primaryKey: true }, title: DataTypes.TEXT });
Author.hasMany(Book, { foreignKey: 'authorId', as: 'books' });

after(() => sequelize.close());

const remedy = (call, bind = []) => sequelize.query(`SELECT remedy.${call}`, { bind });

test('a page asks once', async (t) => {
  await remedy('watch($1)', [t.name]);
  const authors = await Author.findAll({ include: 'books' });
  assert.equal(authors[0].books.length, 9);
  await remedy('assert_statements(1)');
  await remedy('assert_no_n_plus_one()');
});

test('a lazy page is noticed', async (t) => {
  await remedy('watch($1)', [t.name]);
  for (const author of await Author.findAll()) {
    assert.equal((await author.getBooks()).length, 9);
  }
  await assert.rejects(remedy("assert_statements(1, '%FROM \"books\"%')"), (error) => error.original.code === 'P0004');
  await assert.rejects(remedy('assert_no_n_plus_one()'), (error) => {
    assert.equal(error.original.code, 'P0004');
    assert.match(error.original.hint, /include in Sequelize/);
    return true;
  });
});
