// sources: src/repetition/fan_out.cpp

#include "fan_out_stories.hpp"

// The page of a workflow: ten authors, the nine books of each, the chapters of each book.

TEST(page_of_101_statements_nested)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.ask(books_of, author, books(author, 9));
		ask_all(session, chapters_of, author * 10, author * 10 + 8);
	}
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(chapters_of, books_of) == 90);
}

TEST(page_of_101_statements_level_by_level)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 10, 9);
	for (unsigned author = 1; author <= 10; ++author)
		ask_all(session, chapters_of, author * 10, author * 10 + 8);
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(chapters_of, books_of) == 90);
}

// First clause: so many for one execution of the parent.

TEST(five_repeats_are_found_and_four_are_not)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	CHECK(session.findings() == 0);
	ask_books_of(session, 5, 5);
	CHECK(session.only(5, books_of, author_list));
}

TEST(the_threshold_is_the_users)
{
	for (const unsigned threshold : {2u, 5u, 50u})
	{
		Session session(threshold);
		session.list(author_list, numbers(1, 100));
		ask_books_of(session, 1, threshold - 1);
		CHECK(session.findings() == 0);
		ask_books_of(session, threshold, threshold);
		CHECK(session.only(threshold, books_of, author_list));
	}
}

TEST(only_the_last_execution_of_the_parent_counts_alone)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	for (unsigned times = 0; times < 4; ++times)
		session.list(author_list, numbers(1, 10));
	ask_books_of(session, 5, 8);
	CHECK(session.findings() == 0); // eight for five executions
}

// Second clause: twice as many, and two for each execution of the parent.

TEST(two_for_each_of_five_executions_are_found_at_the_tenth)
{
	Session session;
	for (unsigned page = 0; page < 5; ++page)
	{
		CHECK(session.findings() == 0);
		session.list(author_list, numbers(1 + 10 * page, 10 + 10 * page));
		ask_books_of(session, 1 + 10 * page, 2 + 10 * page);
	}
	CHECK(session.only(10, books_of, author_list));
}

TEST(nine_for_four_executions_are_not_found)
{
	Session session;
	for (unsigned page = 0; page < 4; ++page)
	{
		session.list(author_list, numbers(1 + 10 * page, 10 + 10 * page));
		ask_books_of(session, 1 + 10 * page, (page == 0 ? 3 : 2) + 10 * page);
	}
	CHECK(session.findings() == 0);
}

TEST(less_than_two_for_each_execution_are_not_found)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	for (unsigned page = 0; page < 30; ++page)
	{
		session.list(author_list, numbers(1, 100));
		ask_books_of(session, 1 + 2 * page, 2 + 2 * page);
	}
	CHECK(session.findings() == 0); // 60 for 31
}

TEST(ten_pages_of_a_list_and_one_detail_are_not_found)
{
	Session session;
	for (unsigned page = 0; page < 10; ++page)
	{
		session.list(author_list, numbers(1 + 20 * page, 20 + 20 * page));
		session.ask(author_by_id, 7 + 20 * page, numbers(7 + 20 * page, 7 + 20 * page));
	}
	CHECK(session.findings() == 0);
}

// Third clause: children of a finding.

// Each author's books are in one country, and the client remembers the countries it has met.
void
read_countries_of_books(Session &session, unsigned authors, unsigned countries)
{
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= authors; ++author)
	{
		session.ask(books_and_countries_of, author, {{author * 10, 500 + author}, {author * 10 + 1, 500 + author}});
		if (author <= countries)
			session.ask(country_of_book, 500 + author, {{500 + author}});
	}
}

TEST(five_children_of_a_found_parent_are_found)
{
	Session session;
	read_countries_of_books(session, 10, 5);
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_and_countries_of, author_list) == 10);
	CHECK(session.repeats(country_of_book, books_and_countries_of) == 5);
}

TEST(four_children_of_a_found_parent_are_not_found)
{
	Session session;
	read_countries_of_books(session, 10, 4);
	CHECK(session.only(10, books_and_countries_of, author_list));
}

TEST(five_children_of_a_parent_that_is_not_found_are_not_found)
{
	Session session;
	for (unsigned author = 1; author <= 9; ++author)
	{
		session.ask(books_and_countries_of, author, {{author * 10, 500 + author}});
		session.ask(country_of_book, 500 + author, {{500 + author}});
	}
	CHECK(session.findings() == 0);
}

TEST(children_that_waited_are_found_together_with_their_parent)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 5; ++author)
	{
		CHECK(session.findings() == 0);
		session.ask(books_and_countries_of, author, {{author * 10, 500 + author}});
		if (author < 5)
			session.ask(country_of_book, 500 + author, {{500 + author}});
	}
	CHECK(session.only(5, books_and_countries_of, author_list));
	session.ask(country_of_book, 505, {{505}});
	CHECK(session.repeats(country_of_book, books_and_countries_of) == 5);
}

TEST(a_chain_of_loops_is_found_whichever_grows_first)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 4; ++author)
	{
		session.ask(books_of, author, books(author, 1));
		session.ask(chapters_of, author * 10);
	}
	session.ask(books_of, 5, books(5, 1));
	session.ask(chapters_of, 50);
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 5);
	CHECK(session.repeats(chapters_of, books_of) == 5);
}

// Fourth clause: a walk down a tree.

TEST(five_steps_from_shelf_to_shelf_are_found)
{
	Session session;
	walk_down(session, 6);
	CHECK(session.only(6, shelves_in, shelves_in));
}

TEST(four_steps_from_shelf_to_shelf_are_not_found)
{
	Session session;
	walk_down(session, 5);
	CHECK(session.findings() == 0);
}

TEST(a_walk_up_a_tree_finds_one_row_at_a_time)
{
	Session session;
	for (unsigned step = 30; step > 0; --step)
		session.ask(shelf_and_parent_by_id, step, {{step, step - 1}});
	CHECK(session.findings() == 0);
}

TEST(a_bushy_tree_is_found_with_all_its_steps)
{
	Session session;
	session.ask(shelf_by_id, 1, {{1}});
	session.ask(shelves_in, 1, {{10, 1}, {11, 1}, {12, 1}});
	for (unsigned child = 10; child <= 12; ++child)
	{
		session.ask(shelves_in, child, {{child * 10, child}, {child * 10 + 1, child}, {child * 10 + 2, child}});
		ask_all(session, shelves_in, child * 10, child * 10 + 2);
	}
	CHECK(session.only(13, shelves_in, shelves_in));
}

TEST(a_statement_that_returns_its_own_key_is_no_walk)
{
	Session session;
	for (unsigned round = 0; round < 3; ++round)
		for (unsigned author = 1; author <= 20; ++author)
			session.ask(books_of, author, {{5000 + author, author}});
	CHECK(session.findings() == 0);
}

// Different values: what is asked for again and again is polled.

TEST(polling_one_row_is_not_found)
{
	Session session;
	session.list(author_list, numbers(1, 1));
	for (unsigned times = 0; times < 1000; ++times)
		session.ask(books_of, 1, books(1, 2));
	CHECK(session.findings() == 0);
}

TEST(polling_one_row_of_many_is_not_found)
{
	Session session(2);
	session.list(author_list, numbers(1, 30));
	for (unsigned times = 0; times < 30; ++times)
		session.ask(books_of, 7);
	CHECK(session.findings() == 0);
}

TEST(the_same_four_of_many_rows_are_not_found)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	for (unsigned times = 0; times < 10; ++times)
		ask_books_of(session, 1, 4);
	CHECK(session.findings() == 0);
	session.ask(books_of, 5);
	CHECK(session.only(41, books_of, author_list));
}

// Without an identity map each of ten books loads its author, though there are only two of them.
TEST(few_values_that_make_up_four_fifths_of_the_rows_are_found)
{
	Session session;
	Rows rows;
	for (unsigned book = 0; book < 10; ++book)
		rows.push_back({100 + book, 1 + book % 2});
	session.list(book_list, rows);
	for (unsigned book = 0; book < 7; ++book)
		session.ask(author_by_id, 1 + book % 2, {{1 + book % 2}});
	CHECK(session.findings() == 0);
	session.ask(author_by_id, 2, {{2}});
	CHECK(session.only(8, author_by_id, book_list));
}

TEST(one_value_in_all_rows_is_not_found)
{
	Session session;
	session.list(book_list, {{100, 1}, {101, 1}, {102, 1}, {103, 1}, {104, 1}});
	for (unsigned book = 0; book < 5; ++book)
		session.ask(author_by_id, 1, {{1}});
	CHECK(session.findings() == 0);
}

TEST(an_identity_map_asks_once_for_each_value)
{
	Session session;
	Rows rows;
	for (unsigned book = 0; book < 90; ++book)
		rows.push_back({100 + book, 1 + book % 10});
	session.list(book_list, rows);
	for (unsigned author = 1; author <= 10; ++author)
		session.ask(author_by_id, author, {{author}});
	CHECK(session.only(10, author_by_id, book_list));
}
