// The corpus' tables as Drizzle's tables and relations.

import { relations } from 'drizzle-orm';
import {
  bigint, bigserial, boolean, date, integer, numeric, pgTable, primaryKey, serial, text, timestamp, uuid,
} from 'drizzle-orm/pg-core';

export const countries = pgTable('countries', { code: text().primaryKey(), name: text().notNull() });

export const authors = pgTable('authors', {
  id: bigint({ mode: 'number' }).primaryKey(),
  countryCode: text('country_code').notNull().references(() => countries.code),
  name: text().notNull(),
  active: boolean().notNull().default(true),
});

export const biographies = pgTable('biographies', {
  id: integer().primaryKey(),
  authorId: bigint('author_id', { mode: 'number' }).notNull().unique().references(() => authors.id),
  body: text().notNull(),
});

export const books = pgTable('books', {
  id: uuid().primaryKey(),
  number: integer().notNull().unique(),
  authorId: bigint('author_id', { mode: 'number' }).notNull().references(() => authors.id),
  title: text().notNull(),
  published: boolean().notNull(),
  price: numeric({ precision: 8, scale: 2 }).notNull(),
});

export const chapters = pgTable('chapters', {
  id: serial().primaryKey(),
  bookId: uuid('book_id').notNull().references(() => books.id),
  position: integer().notNull(),
  title: text().notNull(),
});

export const tags = pgTable('tags', { id: integer().primaryKey(), name: text().notNull().unique() });

export const bookTags = pgTable('book_tags', {
  bookId: uuid('book_id').notNull().references(() => books.id),
  tagId: integer('tag_id').notNull().references(() => tags.id),
}, (table) => [primaryKey({ columns: [table.bookId, table.tagId] })]);

export const shelves = pgTable('shelves', {
  id: integer().primaryKey(),
  parentId: integer('parent_id').references(() => shelves.id),
  name: text().notNull(),
});

export const readers = pgTable('readers', {
  id: integer().primaryKey(),
  name: text().notNull(),
  email: text().notNull().unique(),
});

export const loans = pgTable('loans', {
  id: serial().primaryKey(),
  readerId: integer('reader_id').notNull().references(() => readers.id),
  bookId: uuid('book_id').notNull().references(() => books.id),
  day: date().notNull(),
});

export const orders = pgTable('orders', {
  id: integer().primaryKey(),
  readerId: integer('reader_id').notNull().references(() => readers.id),
});

export const orderLines = pgTable('order_lines', {
  orderId: integer('order_id').notNull().references(() => orders.id),
  line: integer().notNull(),
  title: text().notNull(),
  quantity: integer().notNull(),
}, (table) => [primaryKey({ columns: [table.orderId, table.line] })]);

export const jobs = pgTable('jobs', { id: serial().primaryKey(), state: text().notNull(), payload: text().notNull() });

export const events = pgTable('events', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  kind: text().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

export const workers = pgTable('workers', {
  name: text().primaryKey(),
  seenAt: timestamp('seen_at', { withTimezone: true }).notNull(),
});

export const settings = pgTable('settings', { name: text().primaryKey(), value: text().notNull() });

export const authorsRelations = relations(authors, ({ one, many }) => ({
  country: one(countries, { fields: [authors.countryCode], references: [countries.code] }),
  biography: one(biographies),
  books: many(books),
}));

export const biographiesRelations = relations(biographies, ({ one }) => ({
  author: one(authors, { fields: [biographies.authorId], references: [authors.id] }),
}));

export const booksRelations = relations(books, ({ one, many }) => ({
  author: one(authors, { fields: [books.authorId], references: [authors.id] }),
  chapters: many(chapters),
  bookTags: many(bookTags),
}));

export const chaptersRelations = relations(chapters, ({ one }) => ({
  book: one(books, { fields: [chapters.bookId], references: [books.id] }),
}));

export const bookTagsRelations = relations(bookTags, ({ one }) => ({
  book: one(books, { fields: [bookTags.bookId], references: [books.id] }),
  tag: one(tags, { fields: [bookTags.tagId], references: [tags.id] }),
}));

export const readersRelations = relations(readers, ({ many }) => ({ loans: many(loans) }));

export const loansRelations = relations(loans, ({ one }) => ({
  reader: one(readers, { fields: [loans.readerId], references: [readers.id] }),
  book: one(books, { fields: [loans.bookId], references: [books.id] }),
}));
