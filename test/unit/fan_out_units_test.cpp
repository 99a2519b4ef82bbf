// sources: src/repetition/fan_out.cpp

#include "fan_out_stories.hpp"

// Units of work.

TEST(a_pause_within_the_burst_gap_goes_on)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 3);
	session.pause(50 * millisecond);
	ask_books_of(session, 4, 6);
	CHECK(session.only(6, books_of, author_list));
	CHECK(session.unit() == 1);
}

TEST(a_longer_pause_ends_the_burst)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.pause(50 * millisecond + 1);
	ask_books_of(session, 5, 8);
	CHECK(session.findings() == 0);
	CHECK(session.unit() == 2);
}

TEST(each_unit_has_its_own_finding)
{
	Session session;
	for (unsigned page = 0; page < 3; ++page)
	{
		session.pause(2 * second);
		session.list(author_list, numbers(1, 10));
		ask_books_of(session, 1, 5 + page);
	}
	CHECK(session.findings() == 3);
	CHECK(session.repeats(books_of, author_list) == 7);
}

TEST(a_parent_has_children_for_a_second_after_its_burst)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.pause(second - 10 * millisecond); // a cold client
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(a_parent_has_no_children_later)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.pause(second + 1);
	ask_books_of(session, 1, 10);
	CHECK(session.findings() == 0);
}

TEST(a_parent_of_the_next_unit_starts_from_nothing)
{
	Session session;
	session.list(book_list, {{10, 1}, {11, 2}});
	for (unsigned times = 0; times < 30; ++times)
		session.list(book_list, numbers_twice(1000, 1100));
	session.pause(100 * millisecond);

	// Its values: the next unit's list knows nothing of books 10 and 11.
	session.list(book_list, {{20, 3}, {21, 4}});
	for (unsigned times = 0; times < 5; ++times)
		ask_all(session, chapters_of, 10, 11);
	CHECK(session.findings() == 0);
	// Its rows: two authors make up four fifths of two rows.
	for (unsigned times = 0; times < 3; ++times)
		ask_all(session, author_by_id, 3, 4);
	CHECK(session.only(6, author_by_id, book_list));
}

TEST(executions_are_counted_in_the_unit)
{
	Session session;
	for (unsigned times = 0; times < 30; ++times)
		session.list(author_list, numbers(1, 10));
	session.pause(100 * millisecond);
	for (unsigned page = 0; page < 5; ++page)
	{
		session.list(author_list, numbers(1, 10));
		ask_books_of(session, 1 + 2 * page, 2 + 2 * page);
	}
	CHECK(session.only(10, books_of, author_list));
}

TEST(children_are_visited_in_their_unit_only)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 10);
	session.pause(2 * second);
	session.list(settings, {});
	unsigned visited = 0;
	session.fan_out->each_child([&](const Child &) { ++visited; });
	CHECK(visited == 0);
}

TEST(an_explicit_transaction_is_a_unit_whatever_its_pauses)
{
	Session session;
	session.begin();
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.pause(10 * second);
		session.ask(books_of, author);
	}
	CHECK(session.only(10, books_of, author_list));
	CHECK(session.unit() == 1);
}

TEST(begin_and_commit_start_new_units)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.begin();
	ask_books_of(session, 1, 4);
	CHECK(session.unit() == 2);
	session.commit();
	ask_books_of(session, 1, 4);
	CHECK(session.unit() == 3);
	CHECK(session.findings() == 0);
}

TEST(the_next_transaction_is_another_unit)
{
	Session session;
	for (unsigned transaction = 0; transaction < 2; ++transaction)
	{
		session.begin();
		session.list(author_list, numbers(1, 10));
		ask_books_of(session, 1, 4);
	}
	CHECK(session.findings() == 0);
	CHECK(session.unit() == 2);
}

TEST(a_watched_stretch_is_never_cut)
{
	Session session;
	session.watch();
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.pause(100 * second);
		if (author % 3 == 0)
			session.begin();
		session.ask(books_of, author);
		session.commit();
	}
	CHECK(session.only(10, books_of, author_list));
	CHECK(session.unit() == 1);
}

TEST(a_watch_starts_afresh_and_ends_a_unit)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.watch();
	ask_books_of(session, 5, 9); // the list was not watched
	CHECK(session.findings() == 0);
	session.watch();
	session.ask(books_of, 10);
	CHECK(session.unit() == 3);
	session.stop_watching();
	session.ask(books_of, 10);
	CHECK(session.unit() == 4);
	CHECK(session.findings() == 0);
}
