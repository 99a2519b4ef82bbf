// sources: src/repetition/loops.cpp src/repetition/fan_out.cpp

#include "loops_stories.hpp"

// Loops of one transaction, what becomes of them in the next ones, and when a loop is over.

namespace {

// In a transaction, so many of them, with this many unlike others after each.
void
in_transaction(Session &session, const Statement &statement, unsigned count, unsigned others, bool same = false)
{
	session.begin();
	for (unsigned i = 1; i <= count; ++i)
	{
		session.run(statement, same ? 1 : i);
		session.interrupt(others);
	}
}

} // namespace

TEST(in_one_transaction_writes_need_not_fill_the_chain)
{
	for (const Statement &statement : {order_insert, order_update, order_removal})
	{
		Session session;
		in_transaction(session, statement, 10, 9);
		CHECK(session.only(statement, LoopKind::write, 10));
	}
}

TEST(nor_need_duplicates)
{
	Session session;
	in_transaction(session, orders_of, 10, 9, true);
	CHECK(session.only(orders_of, LoopKind::duplicate, 10));
}

TEST(but_lookups_must)
{
	Session mixed, alone;
	in_transaction(mixed, user_by_id, 200, 1);
	in_transaction(alone, user_by_id, 12, 0);
	CHECK(mixed.nothing());
	CHECK(alone.only(user_by_id, LoopKind::lookup, 12));
}

TEST(pauses_in_one_transaction_are_no_polling)
{
	Session session;
	session.begin();
	for (unsigned key = 1; key <= 10; ++key)
	{
		session.pause(burst_gap);
		session.run(user_by_id, key);
	}
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(a_loop_of_one_transaction_is_over_with_it)
{
	Session session;
	in_transaction(session, order_update, 12, 1);
	session.commit();
	for (unsigned key = 1; key <= 50; ++key)
	{
		session.run(order_update, key);
		session.interrupt(1);
	}
	CHECK(session.only(order_update, LoopKind::write, 12));
}

TEST(one_that_fills_the_chain_goes_on_over_transactions)
{
	Session session;
	session.run_all(order_update, 1, 10);
	in_transaction(session, order_update, 5, 0);
	session.commit();
	session.run_all(order_update, 1, 5);
	CHECK(session.only(order_update, LoopKind::write, 20));
}

TEST(what_began_in_another_transaction_is_not_of_this_one)
{
	Session session;
	in_transaction(session, order_update, 5, 1);
	session.commit();
	in_transaction(session, order_update, 9, 1);
	session.commit();
	CHECK(session.nothing());
}

TEST(what_began_outside_is_not_of_the_transaction)
{
	Session session;
	for (unsigned key = 1; key <= 5; ++key)
	{
		session.run(order_update, key);
		session.interrupt(1);
	}
	in_transaction(session, order_update, 9, 1);
	CHECK(session.nothing());
}

// Resumed loops.

TEST(each_transaction_is_a_unit_of_work)
{
	Session session;
	for (unsigned i = 0; i < 20; ++i)
	{
		in_transaction(session, order_update, 10 + i, 1);
		session.commit();
	}
	std::vector<std::uint64_t> expected;
	for (unsigned i = 0; i < 20; ++i)
		expected.push_back(10 + i);
	CHECK(session.only(order_update, LoopKind::write, expected));
}

TEST(too_few_in_the_next_transaction_are_none)
{
	Session session;
	for (const unsigned count : {10u, 9u, 10u, 1u})
	{
		in_transaction(session, order_update, count, 1);
		session.commit();
	}
	CHECK(session.only(order_update, LoopKind::write, {10, 10}));
}

TEST(a_resumed_loop_runs_at_once)
{
	Session session;
	in_transaction(session, order_update, 10, 1);
	session.commit();
	session.begin();
	session.run(order_update, 1);
	CHECK(session.detector->loops().is_running(order_update.fingerprint));
	session.commit();
	session.run(other(0));
	CHECK(!session.detector->loops().is_running(order_update.fingerprint));
}

TEST(outside_of_transactions_nothing_is_resumed)
{
	Session session;
	in_transaction(session, order_update, 10, 1);
	session.commit();
	session.interrupt(1);
	session.run(order_update, 1);
	CHECK(!session.detector->loops().is_running(order_update.fingerprint));
}

TEST(nor_does_what_was_found_count_again)
{
	Session session;
	in_transaction(session, order_update, 10, 0);
	session.commit();
	session.run_all(order_update, 11, 15);
	CHECK(session.only(order_update, LoopKind::write, 10));
}

TEST(so_it_is_after_a_pause_but_not_in_another_request)
{
	Session session;
	in_transaction(session, order_update, 10, 1);
	session.commit();
	session.pause(2 * burst_gap);
	session.begin();
	session.run(order_update, 1);
	CHECK(session.detector->loops().is_running(order_update.fingerprint));
	session.commit();
	session.detector->cut();
	session.begin();
	session.run(order_update, 1);
	CHECK(!session.detector->loops().is_running(order_update.fingerprint));
}

TEST(after_eight_transactions_a_loop_is_looked_at_again)
{
	Session session;
	in_transaction(session, order_update, 10, 1);
	session.commit();
	for (unsigned i = 1; i <= 9; ++i)
	{
		session.begin();
		session.run(order_update, 1); // the same again and again: no loop any more
		CHECK(session.detector->loops().is_running(order_update.fingerprint) == (i <= 8));
		for (unsigned times = 0; times < 11; ++times)
			session.run(order_update, 1);
		session.commit();
	}
	CHECK(session.findings().size() == 9);
}

TEST(a_loop_that_is_found_again_is_trusted_again)
{
	Session session;
	for (unsigned i = 0; i < 16; ++i)
	{
		in_transaction(session, order_update, 10, 1);
		session.commit();
	}
	session.begin();
	session.run(order_update, 1);
	CHECK(session.detector->loops().is_running(order_update.fingerprint));
}

TEST(a_loop_that_is_found_again_is_the_same_finding)
{
	Session session;
	for (unsigned i = 0; i < 20; ++i)
	{
		in_transaction(session, order_update, 10, 1);
		session.commit();
	}
	for (const Unit &unit : session.findings())
		CHECK(unit.stamp == session.findings()[0].stamp);
}

TEST(but_not_if_it_is_of_another_kind)
{
	Session session;
	for (unsigned i = 0; i < 27; ++i) // nine of each, of which eight are trusted
	{
		in_transaction(session, user_by_id, 50, 0, i / 9 != 1);
		session.commit();
	}
	const std::vector<Unit> &found = session.findings();
	CHECK(found.size() == 27);
	for (unsigned i = 0; i < found.size(); ++i)
	{
		CHECK(found[i].kind == (i / 9 == 1 ? LoopKind::lookup : LoopKind::duplicate));
		CHECK((found[i].stamp == found[i / 9 * 9].stamp) && (i < 9 || found[i].stamp != found[i - 9].stamp));
	}
}

// The end of a loop whose chain goes on.

TEST(a_loop_is_over_when_others_have_taken_its_place)
{
	Session session;
	session.run_all(user_by_id, 1, 20);
	for (unsigned i = 0; i < 64; ++i)
		session.interrupt(1);
	session.run(user_by_id, 21);
	CHECK(!session.detector->loops().is_running(user_by_id.fingerprint));
	CHECK(session.only(user_by_id, LoopKind::lookup, 21));
}

TEST(before_so_many_it_is_not)
{
	Session session;
	session.run_all(user_by_id, 1, 10);
	session.interrupt(62);
	session.run(user_by_id, 11);
	CHECK(session.detector->loops().is_running(user_by_id.fingerprint));
	CHECK(session.only(user_by_id, LoopKind::lookup, 11));
}

TEST(a_third_of_the_statements_keeps_it)
{
	Loops loops = {};
	Loop loop = {};
	for (unsigned i = 0; i < 66; ++i)
		loops.pass();
	Loop third = loop, fewer = loop;
	CHECK(!loops.is_over(third, 22));
	CHECK(loops.is_over(fewer, 21));
}

TEST(each_review_is_of_what_ran_since_the_last)
{
	Loops loops = {};
	Loop loop = {};
	for (unsigned i = 0; i < 64; ++i)
		loops.pass();
	CHECK(!loops.is_over(loop, 64));
	for (unsigned i = 0; i < 63; ++i)
		loops.pass();
	CHECK(!loops.is_over(loop, 64)); // not yet
	loops.pass();
	CHECK(loops.is_over(loop, 64));
}

TEST(what_made_it_a_loop_is_not_of_the_first_review)
{
	Session session;
	session.run_all(user_by_id, 1, 9);
	session.run_all(user_by_id, 10, 12); // found with the first of these
	for (unsigned key = 0; key < 16; ++key)
	{
		session.interrupt(3);
		session.run(user_by_id, 13 + key);
	}
	CHECK(session.only(user_by_id, LoopKind::lookup, 12 + 16));
	Session longer;
	longer.detector->watch(); // so that it is looked at each time
	longer.run_all(user_by_id, 1, 10);
	for (unsigned key = 0; key < 100; ++key)
	{
		longer.interrupt(3);
		longer.run(user_by_id, 11 + key);
	}
	CHECK(longer.only(user_by_id, LoopKind::lookup, 10 + 16)); // over when a quarter of 64 was its own
}

TEST(a_loop_that_is_over_may_begin_again)
{
	Session session;
	session.run_all(user_by_id, 1, 20);
	session.interrupt(64);
	session.run(user_by_id, 21);
	session.interrupt(10);
	session.run_all(user_by_id, 22, 33);
	CHECK(session.only(user_by_id, LoopKind::lookup, {21, 12}));
}

TEST(a_loop_whose_transactions_are_resumed_is_reviewed_in_each)
{
	Session session;
	for (unsigned i = 0; i < 3; ++i)
	{
		in_transaction(session, order_update, 100, 1);
		session.commit();
	}
	CHECK(session.only(order_update, LoopKind::write, {100, 100, 100}));
}

// Rolled back.

TEST(what_was_rolled_back_is_no_finding)
{
	Session session;
	in_transaction(session, order_insert, 20, 0);
	session.roll_back();
	session.interrupt(1);
	CHECK(session.nothing());
}

TEST(nor_does_it_count_for_one)
{
	Session session;
	in_transaction(session, order_insert, 9, 0);
	session.roll_back();
	session.run_all(order_insert, 1, 9);
	CHECK(session.nothing());
}

TEST(nor_is_it_resumed)
{
	Session session;
	in_transaction(session, order_insert, 20, 1);
	session.roll_back();
	in_transaction(session, order_insert, 9, 1);
	session.commit();
	in_transaction(session, order_insert, 10, 1);
	session.commit();
	CHECK(session.only(order_insert, LoopKind::write, 10));
}

TEST(what_was_resumed_is_taken_back_too)
{
	Session session;
	in_transaction(session, order_insert, 10, 1);
	session.commit();
	in_transaction(session, order_insert, 20, 1);
	session.roll_back();
	CHECK(session.only(order_insert, LoopKind::write, 10));
}

TEST(loops_of_other_transactions_stay)
{
	Session session;
	session.run_all(user_by_id, 1, 12);
	in_transaction(session, order_insert, 12, 0);
	session.roll_back();
	CHECK(session.only(user_by_id, LoopKind::lookup, 12));
}

TEST(a_rollback_outside_of_a_transaction_takes_nothing_back)
{
	Session session;
	session.run(user_by_id, 1);
	session.begin();
	session.roll_back();
	session.run_all(user_by_id, 2, 10);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

// Bulk loads.

TEST(a_named_insert_that_nearly_fills_its_transaction_is_a_bulk_load)
{
	Session session;
	session.begin();
	session.interrupt(12);
	session.run_all(named_insert, 1, 108); // nine tenths
	session.commit();
	CHECK(session.findings().size() == 1);
	CHECK(session.findings()[0].bulk && session.findings()[0].repeats == 108);
}

TEST(of_a_hundred_rows_too)
{
	Session session;
	in_transaction(session, named_insert, 100, 0);
	CHECK(session.findings().size() == 1 && session.findings()[0].bulk);
}

TEST(of_ninety_nine_rows_it_is_none)
{
	Session session;
	in_transaction(session, named_insert, 99, 0);
	CHECK(session.findings().size() == 1 && !session.findings()[0].bulk);
}

TEST(beside_too_many_others_it_is_none)
{
	Session session;
	session.begin();
	session.interrupt(12);
	session.run_all(named_insert, 1, 100); // 100 of 112
	CHECK(session.findings().size() == 1 && !session.findings()[0].bulk);
}

TEST(without_a_name_it_is_none)
{
	Session session;
	in_transaction(session, order_insert, 1000, 0);
	CHECK(session.findings().size() == 1 && !session.findings()[0].bulk);
}

TEST(nor_is_a_named_update)
{
	Session session;
	in_transaction(session, named(order_update), 1000, 0);
	CHECK(session.findings().size() == 1 && !session.findings()[0].bulk);
}

TEST(nor_one_outside_of_a_transaction)
{
	Session session;
	session.run_all(named_insert, 1, 1000);
	CHECK(session.findings().size() == 1 && !session.findings()[0].bulk);
}

TEST(a_transaction_before_does_not_count_against_a_bulk_load)
{
	Session session;
	session.begin();
	session.interrupt(50);
	session.commit();
	for (unsigned times = 0; times < 3; ++times)
	{
		in_transaction(session, named_insert, 120, 0);
		session.commit();
	}
	CHECK(session.findings().size() == 3);
	for (const Unit &unit : session.findings())
		CHECK(unit.bulk && unit.repeats == 120);
}
