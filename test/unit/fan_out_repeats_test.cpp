// sources: src/repetition/fan_out.cpp

#include "fan_out_stories.hpp"

// What is counted as a repeat.

TEST(at_four_fifths_all_executions_are_repeats)
{
	Session session;
	session.list(author_list, numbers(1, 8));
	ask_books_of(session, 1, 8);
	ask_books_of(session, 901, 902);
	CHECK(session.only(10, books_of, author_list)); // 8 of 10
}

TEST(below_four_fifths_the_linked_ones_are)
{
	Session session;
	session.list(author_list, numbers(1, 8));
	ask_books_of(session, 1, 8);
	ask_books_of(session, 901, 903);
	CHECK(session.only(8, books_of, author_list)); // 8 of 11
}

TEST(what_ran_before_the_parent_is_no_repeat)
{
	Session session;
	ask_books_of(session, 901, 910);
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(time_is_added_up_from_the_first_repeat)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.pause(40 * millisecond); // the page was thinking, not looping
	session.ask(books_of, 1);
	for (unsigned author = 2; author <= 10; ++author)
	{
		session.pause(3 * millisecond);
		session.ask(books_of, author);
	}
	unsigned children = 0;
	session.fan_out->each_child([&](const Child &child) {
		++children;
		CHECK(child.waiting == 9 * 3 * millisecond);
		CHECK(child.server == 10 * (millisecond / 10));
	});
	CHECK(children == 1);
}

TEST(a_loop_of_2000_is_reported_as_2000)
{
	for (const char mode : {'a', 'b', 'w'}) // autocommit, block, watch
	{
		Session session;
		if (mode == 'b')
			session.begin();
		if (mode == 'w')
			session.watch();
		session.list(author_list, numbers(1, 2000));
		ask_books_of(session, 1, 2000);
		CHECK(session.only(2000, books_of, author_list));
	}
}

TEST(a_loop_over_10000_rows)
{
	Session session;
	session.list(author_list, numbers(1, 10'000));
	ask_books_of(session, 1, 10'000);
	CHECK(session.only(10'000, books_of, author_list));
}

TEST(some_of_10000_rows)
{
	Session session;
	session.list(author_list, numbers(1, 10'000));
	for (unsigned author = 5; author <= 10'000; author += 100)
		session.ask(books_of, author);
	CHECK(session.only(100, books_of, author_list));
}

TEST(a_long_loop_whose_children_are_not_kept_as_parents)
{
	Session session;
	session.list(author_list, numbers(1, 2000));
	for (unsigned author = 1; author <= 2000; ++author)
	{
		session.pause(millisecond);
		session.ask(book_count_of, author);
	}
	CHECK(session.only(2000, book_count_of, author_list));
}

TEST(a_long_loop_of_a_cold_client)
{
	Session session;
	session.list(author_list, numbers(1, 2000));
	session.pause(111 * millisecond);
	for (unsigned author = 1; author <= 2000; ++author)
	{
		session.ask(books_of, author, books(author, 1));
		session.pause(millisecond);
	}
	CHECK(session.only(2000, books_of, author_list));
}
