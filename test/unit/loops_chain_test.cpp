// sources: src/repetition/loops.cpp src/repetition/fan_out.cpp

#include "loops_stories.hpp"

// The chain that a loop has to fill, and what ends it.

TEST(four_fifths_of_the_chain_are_enough)
{
	Session session;
	for (unsigned key = 1; key <= 40; ++key)
	{
		session.run(user_by_id, key);
		if (key % 4 == 0)
			session.interrupt(1);
	}
	CHECK(session.only(user_by_id, LoopKind::lookup, 40));
}

TEST(two_thirds_are_not)
{
	for (const Statement &statement : {user_by_id, order_update, order_insert})
	{
		Session session;
		for (unsigned key = 1; key <= 90; ++key)
		{
			session.run(statement, key);
			if (key % 2 == 0)
				session.interrupt(1);
		}
		CHECK(session.nothing());
	}
}

TEST(two_thirds_are_not_for_duplicates_either)
{
	Session session;
	for (unsigned i = 1; i <= 90; ++i)
	{
		session.run(orders_of, 7);
		if (i % 2 == 0)
			session.interrupt(1);
	}
	CHECK(session.nothing());
}

TEST(statements_on_one_table_fill_the_chain_together)
{
	Session session;
	for (unsigned key = 1; key <= 20; ++key)
	{
		session.run(user_by_id, key);
		session.run(user_by_mail, key);
	}
	CHECK(session.findings().size() == 2);
	CHECK(session.findings()[0].repeats == 20 && session.findings()[1].repeats == 20);
}

TEST(those_on_two_tables_do_not)
{
	Session session;
	for (unsigned key = 1; key <= 100; ++key)
	{
		session.run(user_by_id, key);
		session.run(order_by_id, key);
	}
	CHECK(session.nothing());
}

TEST(another_on_the_table_counts_no_more_often_than_the_loop)
{
	Session session;
	for (unsigned key = 1; key <= 10; ++key)
	{
		session.run(user_by_id, key);
		for (unsigned i = 0; i < 3; ++i)
			session.run(user_by_mail, 1, 100 * key + i); // would fill what the others leave
		session.interrupt(1);
	}
	CHECK(session.nothing());
}

TEST(what_ran_on_the_table_before_the_loop_began_does_not_count)
{
	Session session;
	for (unsigned i = 0; i < 9; ++i)
		session.run(user_by_mail, 1, 100 + i);
	for (unsigned key = 1; key <= 20; ++key)
	{
		session.run(user_by_id, key);
		session.interrupt(1);
	}
	CHECK(session.nothing());
}

TEST(a_loop_that_runs_on_the_table_does)
{
	Session session;
	session.run_all(user_by_mail, 1, 20);
	for (unsigned key = 1; key <= 20; ++key)
	{
		session.run(user_by_id, key);
		session.run(user_by_mail, 20 + key);
	}
	CHECK(session.findings().size() == 2);
	CHECK(session.findings()[0].repeats + session.findings()[1].repeats == 60);
}

TEST(what_ran_on_the_table_in_an_earlier_chain_does_not_count)
{
	Session session;
	for (unsigned i = 0; i < 9; ++i)
		session.run(user_by_mail, 1, 100 + i);
	session.pause(2 * burst_gap);
	for (unsigned key = 1; key <= 9; ++key)
	{
		session.run(user_by_id, key);
		session.interrupt(1);
	}
	session.run(user_by_id, 10);
	CHECK(session.nothing());
}

TEST(a_loop_begins_where_it_was_interrupted)
{
	Session session;
	session.run_all(user_by_id, 1, 5);
	session.interrupt(4);
	session.run_all(user_by_id, 6, 14);
	CHECK(session.nothing());
}

TEST(three_others_interrupt)
{
	Session session;
	session.run_all(user_by_id, 1, 5);
	session.interrupt(3);
	session.run_all(user_by_id, 6, 14);
	CHECK(session.nothing());
}

TEST(and_is_found_from_there)
{
	Session session;
	session.run_all(user_by_id, 1, 5);
	session.interrupt(40);
	session.run_all(user_by_id, 6, 15);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(two_others_between_are_no_interruption)
{
	Session session;
	session.run_all(user_by_id, 1, 5);
	session.interrupt(2);
	session.run_all(user_by_id, 6, 10);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(ten_of_thirteen_are_not_enough)
{
	Session session;
	for (unsigned key = 1; key <= 10; ++key)
	{
		session.run(user_by_id, key);
		if (key % 3 == 0)
			session.interrupt(1);
	}
	CHECK(session.nothing());
}

TEST(many_others_after_a_long_run_are_no_interruption)
{
	// The four others leave four fifths to sixteen calls, with the next one, but not to fifteen.
	for (const unsigned calls : {14u, 15u})
	{
		Session session;
		for (unsigned i = 0; i < 20; ++i)
		{
			session.interrupt(i == calls ? 4 : 0);
			session.run(orders_of, 1 + i % 2);
		}
		CHECK(calls == 15 ? session.only(orders_of, LoopKind::duplicate, 20) : session.nothing());
	}
}

TEST(a_pause_within_the_burst_gap_goes_on)
{
	Session session;
	session.run_all(user_by_id, 1, 5);
	session.pause(burst_gap - millisecond / 10); // and the tenth before each statement
	session.run_all(user_by_id, 6, 10);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(a_longer_pause_ends_the_chain)
{
	Session session;
	session.run_all(user_by_id, 1, 9);
	session.pause(burst_gap + 1);
	session.run_all(user_by_id, 10, 18);
	CHECK(session.nothing());
}

TEST(each_chain_is_a_unit_of_work)
{
	Session session;
	for (unsigned chain = 0; chain < 3; ++chain)
	{
		session.run_all(user_by_id, 1, 10 + chain);
		session.pause(2 * burst_gap);
	}
	CHECK(session.only(user_by_id, LoopKind::lookup, {10, 11, 12}));
}

TEST(a_loop_is_over_with_its_chain)
{
	Session session;
	session.run_all(user_by_id, 1, 10);
	session.pause(2 * burst_gap);
	session.run(other(0));
	CHECK(session.over() == 1);
	CHECK(!session.detector->loops().is_running(user_by_id.fingerprint));
}

TEST(who_waits_before_most_repeats_polls)
{
	for (const Statement &statement : {user_by_id, order_insert, order_update})
	{
		Session polling, looping;
		for (unsigned key = 1; key <= 100; ++key)
		{
			polling.pause(burst_gap / 2);
			polling.run(statement, key);
			looping.pause(burst_gap / 2 - millisecond / 10); // no more than half, with the tenth before each
			looping.run(statement, key);
		}
		CHECK(polling.nothing());
		CHECK(looping.only(statement, LoopKind::write, 100) || looping.only(statement, LoopKind::lookup, 100));
	}
}

TEST(half_of_the_pauses_may_be_long)
{
	Session session;
	for (unsigned key = 1; key <= 10; ++key)
	{
		session.pause(key % 2 == 0 ? burst_gap / 2 : 0);
		session.run(user_by_id, key);
	}
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(a_high_threshold_counts_long_pauses_too)
{
	Session session(150); // 300 calls; 256 would be none again if they were counted in a byte
	for (unsigned key = 1; key <= 256; ++key)
	{
		session.pause(burst_gap / 2);
		session.run(user_by_id, key);
	}
	session.run_all(user_by_id, 257, 300);
	CHECK(session.nothing());
}

TEST(short_transactions_make_one_chain)
{
	Session session;
	for (unsigned key = 1; key <= 20; ++key)
	{
		session.begin();
		session.run(order_update, key);
		session.commit();
	}
	CHECK(session.only(order_update, LoopKind::write, 20));
}

TEST(with_something_else_in_each_they_do_not)
{
	Session session;
	for (unsigned key = 1; key <= 50; ++key)
	{
		session.begin();
		session.run(order_update, key);
		session.run(audit_insert, key);
		session.commit();
	}
	CHECK(session.nothing());
}

TEST(long_pauses_between_short_transactions_are_polling)
{
	Session session;
	for (unsigned key = 1; key <= 50; ++key)
	{
		session.pause(burst_gap / 2);
		session.begin();
		session.run(order_update, key);
		session.commit();
	}
	CHECK(session.nothing());
}

TEST(a_pause_between_two_transactions_ends_the_chain)
{
	Session session;
	for (unsigned half = 0; half < 2; ++half)
	{
		session.pause(2 * burst_gap);
		for (unsigned key = 1; key <= 9; ++key)
		{
			session.begin();
			session.run(order_update, key);
			session.commit();
		}
	}
	CHECK(session.nothing());
}

TEST(no_pause_ends_a_transaction)
{
	Session session;
	session.begin();
	for (unsigned key = 1; key <= 10; ++key)
	{
		session.pause(100 * burst_gap);
		session.run(order_update, key);
	}
	CHECK(session.only(order_update, LoopKind::write, 10));
}

TEST(another_request_cuts_the_chain)
{
	Session session;
	session.run_all(user_by_id, 1, 9);
	session.detector->cut();
	session.run_all(user_by_id, 10, 18);
	CHECK(session.nothing());
}

TEST(and_ends_the_loops_of_the_one_before)
{
	Session session;
	session.run_all(user_by_id, 1, 12);
	session.detector->cut();
	session.run_all(user_by_id, 13, 23);
	session.detector->cut();
	session.run_all(user_by_id, 24, 36);
	CHECK(session.only(user_by_id, LoopKind::lookup, {12, 11, 13}));
}

TEST(one_cut_cuts_once)
{
	Session session;
	session.detector->cut();
	session.run_all(user_by_id, 1, 10);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(a_watched_stretch_is_one_chain)
{
	Session session;
	session.detector->watch();
	for (unsigned key = 1; key <= 10; ++key)
	{
		session.pause(key == 5 ? 100 * burst_gap : 0);
		if (key == 7)
			session.detector->cut();
		session.run(user_by_id, key);
	}
	session.detector->stop_watching();
	session.run(other(0));
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(a_cut_in_a_watched_stretch_is_forgotten_with_it)
{
	Session session;
	session.detector->watch();
	session.run_all(user_by_id, 1, 5);
	session.detector->cut();
	session.run_all(user_by_id, 6, 6);
	session.detector->stop_watching();
	session.run_all(user_by_id, 7, 16);
	CHECK(session.only(user_by_id, LoopKind::lookup, 10));
}

TEST(a_watch_starts_a_chain_and_ends_one)
{
	Session session;
	session.run_all(user_by_id, 1, 9);
	session.detector->watch();
	session.run_all(user_by_id, 10, 18);
	session.detector->watch();
	session.run_all(user_by_id, 19, 27);
	session.detector->stop_watching();
	session.run_all(user_by_id, 28, 36);
	CHECK(session.nothing());
}
