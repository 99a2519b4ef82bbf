// A page's budget with node:test over Prisma. One connection in the pool: a block belongs to its session.
// $executeRaw, because remedy's functions return nothing that Prisma would read.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';

const adapter = new PrismaPg({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: process.env.PGUSER,
  database: process.env.PGDATABASE,
  max: 1,
});
const prisma = new PrismaClient({ adapter });

after(() => prisma.$disconnect());

const isAssertion = (error) => {
  assert.match(error.message, /P0004/);
  return true;
};

test('a page asks twice', async (t) => {
  await prisma.$executeRaw`SELECT remedy.watch(${t.name})`;
  const authors = await prisma.author.findMany({ include: { books: true } });
  assert.equal(authors[0].books.length, 9);
  await prisma.$executeRaw`SELECT remedy.assert_statements(2)`;
  await prisma.$executeRaw`SELECT remedy.assert_no_n_plus_one()`;
});

async function lazyPage(name) {
  await prisma.$executeRaw`SELECT remedy.watch(${name})`;
  for (const author of await prisma.author.findMany()) {
    assert.equal((await prisma.book.findMany({ where: { authorId: author.id } })).length, 9);
  }
}

// The pool closes a connection on which a statement failed, and the block ends with it.
test('a lazy page exceeds a budget', async (t) => {
  await lazyPage(t.name);
  await assert.rejects(prisma.$executeRaw`SELECT remedy.assert_statements(1, '%FROM "public"."books"%')`, isAssertion);
});

test('a lazy page is noticed', async (t) => {
  await lazyPage(t.name);
  await assert.rejects(prisma.$executeRaw`SELECT remedy.assert_no_n_plus_one()`, isAssertion);
});
