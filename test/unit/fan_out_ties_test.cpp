// sources: src/repetition/fan_out.cpp

#include "fan_out_stories.hpp"

// Ties between the parent's columns and the child's keys.

TEST(a_column_of_its_own_ties)
{
	Session session;
	session.list(book_authors, numbers(1, 6));
	ask_books_of(session, 1, 6);
	CHECK(session.only(6, books_of, book_authors));
}

TEST(equal_values_of_unrelated_columns_do_not_tie)
{
	Session session;
	session.list(settings, numbers(1, 20));
	ask_books_of(session, 1, 20);
	CHECK(session.findings() == 0);
}

TEST(values_of_another_column_of_the_parent_do_not_tie)
{
	Session session;
	session.list(book_list, {{1, 11}, {2, 12}, {3, 13}, {4, 14}, {5, 15}, {6, 16}});
	ask_all(session, author_by_id, 1, 6);
	CHECK(session.findings() == 0);
}

TEST(values_that_the_parent_did_not_return_do_not_count)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	ask_books_of(session, 1001, 1100);
	CHECK(session.findings() == 0);
}

TEST(a_sibling_ties)
{
	Session session;
	session.list(book_authors, numbers(1, 6));
	ask_all(session, relation_of_authors(0), 1, 6);
	CHECK(session.only(6, relation_of_authors(0), book_authors));
}

// For each author its books, which name the author again, and something else.
TEST(the_parent_of_siblings_is_preferred_to_a_sibling)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.ask(books_of, author, books(author, 2));
		session.ask(relation_of_authors(0), author);
	}
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(relation_of_authors(0), author_list) == 10);
}

TEST(an_output_of_no_table_ties_by_its_values)
{
	const Statement computed = {41, {}, {expression}};
	Session session;
	session.list(computed, numbers(1, 10));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, computed));
}

TEST(an_output_of_no_table_is_the_last_choice)
{
	const Statement computed = {41, {}, {expression}};
	Session session;
	session.list(book_authors, numbers(1, 10));
	session.list(computed, numbers(1, 10));
	ask_all(session, relation_of_authors(0), 1, 10);
	CHECK(session.only(10, relation_of_authors(0), book_authors));
}

// Each asks for what the one before it computed from its own key.
TEST(a_statement_does_not_drive_itself_by_value)
{
	const Statement echo = {42, {author_id}, {expression}};
	Session session;
	for (unsigned author = 1; author <= 10; ++author)
		session.run(echo, {author}, {{author}, {author + 1}});
	CHECK(session.findings() == 0);
}

// Both hold for the first time with the fifth different value.
TEST(the_parent_with_more_children_is_preferred)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	session.list(other_author_list, numbers(3, 100));
	for (unsigned times = 0; times < 3; ++times)
		ask_books_of(session, 1, 4);
	CHECK(session.findings() == 0);
	session.ask(books_of, 5);
	CHECK(session.only(13, books_of, author_list));
}

TEST(another_statement_is_preferred_to_the_child_itself)
{
	Session session;
	session.list(shelf_list, numbers(2, 6));
	walk_down(session, 6);
	CHECK(session.only(6, shelves_in, shelf_list));
}

TEST(of_two_equal_parents_the_later_is_named)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.list(other_author_list, numbers(1, 10));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, other_author_list));
}

TEST(a_later_parent_without_the_value_is_passed_over)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.list(other_author_list, numbers(11, 20));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(children_are_shared_out_between_their_parents)
{
	Session session;
	session.list(author_list, numbers(1, 4));
	session.list(other_author_list, numbers(5, 8));
	ask_books_of(session, 1, 8);
	CHECK(session.findings() == 0); // four each
}

TEST(a_constant_tenant_beside_the_key_is_not_the_key)
{
	for (const bool tenant_first : {true, false})
	{
		Session session;
		Rows rows;
		for (unsigned book = 1; book <= 10; ++book)
			rows.push_back({77, book});
		session.list(tenant_books, rows);
		for (unsigned book = 1; book <= 10; ++book)
			if (tenant_first)
				session.run(tenant_chapters, {77, book}, {});
			else
				session.run(chapters_of_tenant, {book, 77}, {});
		CHECK(session.only(10, tenant_first ? tenant_chapters : chapters_of_tenant, tenant_books));
		CHECK(session.key() == chapter_book);
	}
}

TEST(a_constant_tenant_alone_makes_no_finding)
{
	Session session;
	session.list(tenant_books, {{77, 1}});
	for (unsigned book = 101; book <= 130; ++book)
		session.run(tenant_chapters, {77, book}, {});
	CHECK(session.findings() == 0);
}

// The first of the two conditions changes its value as well, only less often.
TEST(of_two_keys_the_one_with_more_values_is_named)
{
	Session session;
	session.list(tenant_books, {{77, 1}, {77, 2}, {78, 3}, {78, 4}, {78, 5}});
	for (unsigned book = 1; book <= 5; ++book)
		session.run(tenant_chapters, {book < 3 ? 77u : 78u, book}, {});
	CHECK(session.only(5, tenant_chapters, tenant_books));
	CHECK(session.key() == chapter_book);
}

// For each author its books, which name the author again, and then their number.
TEST(a_statement_that_repeats_its_own_key_is_not_the_parent)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.ask(books_of, author, books(author, 2));
		session.ask(book_count_of, author);
	}
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(book_count_of, author_list) == 10);
}
