// sources: src/repetition/loops.cpp src/repetition/fan_out.cpp

#include "loops_stories.hpp"

// What is a loop, and of which kind.

TEST(lookups_by_a_unique_key_are_a_loop_from_ten_on)
{
	Session nine, ten, many;
	nine.run_all(user_by_id, 1, 9);
	ten.run_all(user_by_id, 1, 10);
	many.run_all(user_by_id, 1, 2000);
	CHECK(nine.nothing());
	CHECK(ten.only(user_by_id, LoopKind::lookup, 10));
	CHECK(many.only(user_by_id, LoopKind::lookup, 2000));
}

TEST(the_limit_is_twice_the_threshold)
{
	Session below(60), at(60);
	below.run_all(user_by_id, 1, 119);
	at.run_all(user_by_id, 1, 120);
	CHECK(below.nothing());
	CHECK(at.only(user_by_id, LoopKind::lookup, 120));
}

TEST(a_key_that_is_not_unique_makes_no_lookups)
{
	Session session;
	session.run_all(orders_of, 1, 100);
	CHECK(session.nothing());
}

TEST(eight_different_keys_of_ten_are_enough)
{
	Session seven, eight;
	seven.run_all(user_by_id, 1, 7);
	for (unsigned times = 0; times < 3; ++times)
		seven.run(user_by_id, 7, 100 + times);
	eight.run_all(user_by_id, 1, 8);
	for (unsigned times = 0; times < 2; ++times)
		eight.run(user_by_id, 8, 100 + times);
	CHECK(seven.nothing());
	CHECK(eight.only(user_by_id, LoopKind::lookup, 10));
}

TEST(few_keys_in_turn_are_no_lookups)
{
	Session session;
	for (unsigned i = 0; i < 200; ++i)
		session.run(user_by_id, 1 + i % 4);
	CHECK(session.nothing());
}

TEST(keys_that_cannot_be_read_make_no_lookups)
{
	Session session;
	for (unsigned i = 0; i < 100; ++i)
		session.run(user_by_id, 0, 1 + i);
	CHECK(session.nothing());
}

TEST(and_do_not_count_beside_others)
{
	Session session;
	session.run_all(user_by_id, 1, 3);
	for (unsigned i = 0; i < 7; ++i)
		session.run(user_by_id, 0, 101 + i);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(few_keys_are_few_however_many_calls_there_are)
{
	Session session(130); // 260 calls, of which a byte would count 4
	for (unsigned i = 0; i < 260; ++i)
		session.run(user_by_id, 1 + i % 4, 1 + i);
	CHECK(session.nothing());
}

TEST(lookups_of_what_was_returned_are_no_loop_of_their_own)
{
	Loops loops = {};
	const auto call = [&](unsigned key, bool linked) {
		loops.enter({millisecond, false, key, 0}, burst_gap, [](const Loop &) {});
		return loops.note({1, users, Command::select, false, true, true, linked, false, key, key, 1, millisecond}, 10,
						  burst_gap / 2);
	};
	for (unsigned key = 1; key < 10; ++key)
		call(key, key <= 5);
	CHECK(!call(10, false)->running); // half of ten
	CHECK(call(11, false)->running);  // five of eleven
}

TEST(the_same_values_ten_times_are_a_duplicate)
{
	Session nine, ten;
	for (unsigned i = 0; i < 9; ++i)
		nine.run(orders_of, 7);
	for (unsigned i = 0; i < 10; ++i)
		ten.run(orders_of, 7);
	CHECK(nine.nothing());
	CHECK(ten.only(orders_of, LoopKind::duplicate, 10));
}

TEST(two_values_in_turn_are_duplicates_after_ten_times_each)
{
	Session nineteen, twenty;
	for (unsigned i = 0; i < 19; ++i)
		nineteen.run(orders_of, 1 + i % 2);
	for (unsigned i = 0; i < 20; ++i)
		twenty.run(orders_of, 1 + i % 2);
	CHECK(nineteen.nothing());
	CHECK(twenty.only(orders_of, LoopKind::duplicate, 20));
}

TEST(another_value_beside_the_key_makes_it_no_duplicate)
{
	Session session;
	for (unsigned i = 0; i < 100; ++i)
		session.run(orders_of, 7, 1 + i); // pages of the orders of one user
	CHECK(session.nothing());
}

TEST(values_that_cannot_be_read_make_no_duplicate)
{
	Session session;
	for (unsigned i = 0; i < 100; ++i)
		session.run(orders_of, 7, 0);
	CHECK(session.nothing());
}

TEST(one_value_that_cannot_be_read_makes_no_duplicate)
{
	Session session;
	for (unsigned i = 0; i < 29; ++i)
		session.run(orders_of, 7, i == 0 ? 0 : 7);
	CHECK(session.nothing());
}

TEST(without_a_key_there_is_no_duplicate)
{
	Session session;
	session.begin();
	for (unsigned i = 0; i < 100; ++i)
		session.run(order_list);
	CHECK(session.nothing());
}

TEST(without_a_table_there_is_nothing)
{
	Session session;
	session.begin();
	for (unsigned i = 0; i < 100; ++i)
		session.run(clock_reading, 1);
	CHECK(session.nothing());
	CHECK(!session.detector->loops().is_suspicious(clock_reading.fingerprint));
}

TEST(inserts_of_one_row_are_writes)
{
	Session nine, ten, rows;
	nine.run_all(order_insert, 1, 9);
	ten.run_all(order_insert, 1, 10);
	rows.run_all(order_insert_of_many, 1, 100);
	CHECK(nine.nothing());
	CHECK(ten.only(order_insert, LoopKind::write, 10));
	CHECK(rows.nothing());
}

TEST(updates_and_removals_by_different_keys_are_writes)
{
	for (const Statement &statement : {order_update, order_removal})
	{
		Session different, same;
		different.run_all(statement, 1, 25);
		for (unsigned i = 0; i < 100; ++i)
			same.run(statement, 1);
		CHECK(different.only(statement, LoopKind::write, 25));
		CHECK(same.nothing());
	}
}

TEST(updates_without_a_key_are_no_loop)
{
	Session session;
	session.begin();
	session.run_all(order_update_of_all, 1, 100);
	CHECK(session.nothing());
}

TEST(a_write_needs_no_unique_key)
{
	Session session;
	session.run_all(on(50, orders, Command::remove, 1), 1, 10);
	CHECK(session.only(on(50, orders, Command::remove, 1), LoopKind::write, 10));
}

TEST(after_three_times_the_limit_all_is_counted_anew)
{
	Session session;
	for (unsigned i = 0; i < 30; ++i)
		session.run(user_by_id, 1 + i % 2, 1 + i); // no lookup, and no duplicate
	session.run_all(user_by_id, 101, 110);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(before_that_the_first_keys_count)
{
	Session session;
	for (unsigned i = 0; i < 29; ++i)
		session.run(user_by_id, 1 + i % 2, 1 + i);
	session.run_all(user_by_id, 101, 110); // the first of these is the thirtieth
	CHECK(session.nothing());
}
