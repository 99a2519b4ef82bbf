// The corpus' tables as Objection's models.

import { Model } from 'objection';

const { BelongsToOneRelation, HasManyRelation, HasOneRelation, ManyToManyRelation } = Model;

// Models name each other, so their relations are functions.
const to = (relation, modelClass, from, target) => ({ relation, modelClass, join: { from, to: target } });

export class Country extends Model {
  static tableName = 'countries';
  static idColumn = 'code';
}

export class Author extends Model {
  static tableName = 'authors';
  static relationMappings = () => ({
    country: to(BelongsToOneRelation, Country, 'authors.country_code', 'countries.code'),
    biography: to(HasOneRelation, Biography, 'authors.id', 'biographies.author_id'),
    books: to(HasManyRelation, Book, 'authors.id', 'books.author_id'),
  });
}

export class Biography extends Model {
  static tableName = 'biographies';
}

export class Book extends Model {
  static tableName = 'books';
  static relationMappings = () => ({
    author: to(BelongsToOneRelation, Author, 'books.author_id', 'authors.id'),
    chapters: to(HasManyRelation, Chapter, 'books.id', 'chapters.book_id'),
    tags: {
      relation: ManyToManyRelation,
      modelClass: Tag,
      join: {
        from: 'books.id',
        through: { from: 'book_tags.book_id', to: 'book_tags.tag_id' },
        to: 'tags.id',
      },
    },
  });
}

export class Chapter extends Model {
  static tableName = 'chapters';
  static relationMappings = () => ({ book: to(BelongsToOneRelation, Book, 'chapters.book_id', 'books.id') });
}

export class Tag extends Model {
  static tableName = 'tags';
}

export class Shelf extends Model {
  static tableName = 'shelves';
  static relationMappings = () => ({ children: to(HasManyRelation, Shelf, 'shelves.id', 'shelves.parent_id') });
}

export class Reader extends Model {
  static tableName = 'readers';
  static relationMappings = () => ({ loans: to(HasManyRelation, Loan, 'readers.id', 'loans.reader_id') });
}

export class Loan extends Model {
  static tableName = 'loans';
  static relationMappings = () => ({ book: to(BelongsToOneRelation, Book, 'loans.book_id', 'books.id') });
}

export class Order extends Model {
  static tableName = 'orders';
  static relationMappings = () => ({ lines: to(HasManyRelation, OrderLine, 'orders.id', 'order_lines.order_id') });
}

export class OrderLine extends Model {
  static tableName = 'order_lines';
  static idColumn = ['order_id', 'line'];
}

export class Job extends Model {
  static tableName = 'jobs';
}

export class Event extends Model {
  static tableName = 'events';
}

export class Worker extends Model {
  static tableName = 'workers';
  static idColumn = 'name';
}

export class Setting extends Model {
  static tableName = 'settings';
  static idColumn = 'name';
}
