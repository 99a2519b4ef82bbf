// sources: src/repetition/fan_out.cpp

#include "fan_out_stories.hpp"

// Places are few.

TEST(six_other_statements_between_parent_and_loop)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned number = 0; number < 6; ++number)
		session.list(unrelated(number), numbers(1, 10));
	ask_books_of(session, 1, 10, 2);
	CHECK(session.only(10, books_of, author_list));
}

// For each author its books, and ten statements that have nothing to do with it.
void
loop_among_others(Session &session)
{
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
	{
		session.ask(books_of, author, books(author, 2));
		for (unsigned number = 0; number < 10; ++number)
			session.list(unrelated(10 * (author % 2) + number), numbers(1, 10));
	}
}

TEST(a_proved_parent_outlives_ten_other_shapes_for_each_row)
{
	Session session;
	loop_among_others(session);
	CHECK(session.only(20, books_of, author_list));
}

TEST(what_was_proved_in_another_unit_does_not_matter)
{
	Session session;
	for (unsigned number = 0; number < parent_limit; ++number)
		session.list({3000 + number, {}, {author_id}}, {{1}});
	session.ask(book_count_of, 1);
	session.pause(100 * millisecond);
	for (unsigned number = 0; number < parent_limit; ++number)
		session.list(unrelated(number), numbers(1, 10));
	loop_among_others(session);
	CHECK(session.only(20, books_of, author_list));
}

TEST(ten_relations_of_each_row)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
		for (unsigned number = 0; number < 10; ++number)
			session.ask(relation_of_authors(number), author, numbers(author, author));
	CHECK(session.findings() == 10);
	for (unsigned number = 0; number < 10; ++number)
		CHECK(session.repeats(relation_of_authors(number), author_list) == 20);
}

TEST(sixteen_children_at_once)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
		for (unsigned number = 0; number < child_limit; ++number)
			session.ask(relation_of_authors(number), author, numbers(author, author));
	CHECK(session.findings() == child_limit);
	for (unsigned number = 0; number < child_limit; ++number)
		CHECK(session.repeats(relation_of_authors(number), author_list) == 20);
}

TEST(any_number_of_children_one_after_the_other)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned number = 0; number < 3 * child_limit; ++number)
		ask_all(session, relation_of_authors(number), 1, 20);
	CHECK(session.findings() == 3 * child_limit);
	for (unsigned number = 0; number < 3 * child_limit; ++number)
		CHECK(session.repeats(relation_of_authors(number), author_list) == 20);
}

TEST(two_loops_at_once_after_sixteen_others)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned number = 0; number < child_limit; ++number)
		ask_all(session, relation_of_authors(number), 1, 20);
	for (unsigned author = 1; author <= 20; ++author)
		for (const unsigned number : {child_limit, child_limit + 1})
			session.ask(relation_of_authors(number), author);
	CHECK(session.findings() == child_limit + 2);
}

TEST(children_of_earlier_units_give_way_first)
{
	Session session;
	for (unsigned page = 0; page < 5; ++page)
	{
		session.pause(second * 2);
		session.list(author_list, numbers(1, 20));
		for (unsigned author = 1; author <= 20; ++author)
			for (unsigned number = 0; number < 12; ++number)
				session.ask(relation_of_authors(12 * page + number), author);
	}
	CHECK(session.findings() == 5 * 12);
}

TEST(the_likeliest_parent_is_known_before_the_finding)
{
	Session session;
	session.list(other_author_list, numbers(8, 9));
	session.list(author_list, numbers(1, 5));
	session.ask(books_of, 8);
	ask_books_of(session, 1, 2);
	CHECK(session.findings() == 0);
	session.fan_out->each_child([&](const Child &child) {
		CHECK(session.fan_out->likeliest_parent(child).fingerprint == author_list.fingerprint);
	});
}

// What failed has returned nothing.

TEST(a_parent_that_was_never_released_has_no_children)
{
	for (const bool ended_well_before : {false, true})
	{
		Session session;
		if (ended_well_before)
			session.list(author_list, numbers(1, 10));
		session.pause(100 * millisecond);
		session.list(settings, numbers(1, 2));
		Parent &failed = session.hold(author_list);
		failed.columns[failed.column_count++] = author_id;
		for (unsigned author = 1; author <= 10; ++author)
			failed.values.insert(in_column(hash_of(author), 0));
		ask_all(session, book_count_of, 1, 10);
		CHECK(session.findings() == 0);
	}
}

TEST(a_parent_that_runs_in_portions_is_one_execution)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	Parent &parent = session.hold(author_list);
	for (unsigned author = 11; author <= 20; ++author)
		parent.values.insert(in_column(hash_of(author), 0));
	session.fan_out->release(parent, 1000 * second + 100 * millisecond, 10, false);
	CHECK(parent.executions == 1 && parent.rows == 20);
	session.ask(books_of, 11);
	CHECK(session.only(5, books_of, author_list));
}

TEST(a_found_child_knows_when_its_parent_has_lost_its_place)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 5);
	CHECK(session.only(5, books_of, author_list));
	session.fan_out->each_child([&](const Child &child) { CHECK(session.fan_out->has_parent(child)); });
	session.fan_out->forget(author_list.fingerprint);
	session.fan_out->each_child([&](const Child &child) { CHECK(!session.fan_out->has_parent(child)); });
}

TEST(nor_does_it_take_another_in_that_place_for_its_parent)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 5);
	CHECK(session.only(5, books_of, author_list));
	for (unsigned i = 0; i < parent_limit; ++i)
	{
		session.list({3000 + i, {}, {author_id}}, numbers(1, 10));
		session.ask(books_of, 1); // of each list
	}
	CHECK(!session.fan_out->holds(author_list.fingerprint));
	session.fan_out->each_child([&](const Child &child) { CHECK(!session.fan_out->has_parent(child)); });
}

TEST(a_cut_takes_the_parents_but_not_in_a_watched_stretch)
{
	for (const bool watched : {false, true})
	{
		Session session;
		if (watched)
			session.watch();
		session.list(author_list, numbers(1, 10));
		session.fan_out->cut();
		ask_books_of(session, 1, 10);
		CHECK(watched ? session.only(10, books_of, author_list) : session.findings() == 0);
	}
}

TEST(the_first_child_does_not_take_its_parents_place)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned number = 0; number + 1 < parent_limit; ++number)
		session.list(unrelated(number), numbers(1, 10));
	ask_books_of(session, 1, 10, 2);
	CHECK(session.only(10, books_of, author_list));
}

TEST(a_parent_of_the_burst_before_outlives_ten_relations_of_each_row)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	session.pause(111 * millisecond);
	for (unsigned author = 1; author <= 20; ++author)
		for (unsigned number = 0; number < 10; ++number)
			session.ask(relation_of_authors(number), author, numbers(author, author));
	CHECK(session.findings() == 10);
}

TEST(with_one_child_too_many_the_others_are_found)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
		for (unsigned number = 0; number <= child_limit; ++number)
			session.ask(relation_of_authors(number), author, numbers(author, author));
	CHECK(session.findings() >= child_limit - 1);
}

TEST(a_finding_is_not_made_twice)
{
	Session session;
	session.list(author_list, numbers(1, 40));
	ask_all(session, relation_of_authors(0), 1, 10);
	for (unsigned number = 1; number <= child_limit; ++number)
		session.ask(relation_of_authors(number), 1);
	ask_all(session, relation_of_authors(0), 11, 40);
	CHECK(session.only(40, relation_of_authors(0), author_list));
}

// A fingerprint that stands for other tables from here on.

TEST(a_forgotten_parent_has_no_children)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.fan_out->forget(author_list.fingerprint);
	CHECK(!session.fan_out->holds(author_list.fingerprint));
	ask_books_of(session, 1, 10);
	CHECK(session.findings() == 0);
}

TEST(a_forgotten_child_counts_anew)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.fan_out->forget(books_of.fingerprint);
	ask_books_of(session, 5, 8);
	CHECK(session.findings() == 0);
	ask_books_of(session, 9, 9);
	CHECK(session.only(5, books_of, author_list));
}

TEST(other_statements_are_not_forgotten)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.fan_out->forget(other_author_list.fingerprint);
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(a_childs_stamp_never_comes_again)
{
	Session session;
	std::vector<std::uint32_t> stamps;
	for (unsigned page = 0; page < 3; ++page)
	{
		session.pause(2 * second);
		session.list(author_list, numbers(1, 10));
		for (const bool again : {false, true})
		{
			if (again)
				session.fan_out->forget(books_of.fingerprint);
			ask_books_of(session, 1, 2);
			session.fan_out->each_child([&](const Child &child) { stamps.push_back(child.stamp); });
		}
	}
	CHECK(stamps.size() == 6);
	std::sort(stamps.begin(), stamps.end());
	CHECK(std::adjacent_find(stamps.begin(), stamps.end()) == stamps.end());
}

TEST(no_finding_names_a_forgotten_parent)
{
	Session session;
	session.list(other_author_list, numbers(21, 30));
	ask_all(session, relation_of_authors(0), 21, 25);
	for (unsigned page = 1; page <= 5; ++page)
	{
		session.list(author_list, numbers(1, 10));
		session.ask(book_count_of, page);
	}
	CHECK(session.findings() == 1);
	session.fan_out->forget(relation_of_authors(0).fingerprint);
	session.fan_out->forget(author_list.fingerprint);
	session.ask(book_count_of, 6);
	CHECK(session.findings() == 1);
}
