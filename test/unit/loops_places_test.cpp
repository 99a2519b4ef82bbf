// sources: src/repetition/loops.cpp src/repetition/fan_out.cpp

#include "loops_stories.hpp"

#include <algorithm>

// Sixteen places, and how few looks a statement gets once it is known.

namespace {

// The number-th statement that writes one row to a table of its own.
Statement
insert(unsigned number)
{
	return one_row(on(500 + number, 200 + number, Command::insert, 0));
}

std::uint64_t
repeats(Session &session, const Statement &statement)
{
	std::uint64_t sum = 0;
	for (const Unit &unit : session.findings())
		sum += unit.fingerprint == statement.fingerprint ? unit.repeats : 0;
	return sum;
}

} // namespace

TEST(sixteen_loops_have_places)
{
	Session session;
	session.begin();
	for (unsigned round = 0; round < 10; ++round)
		for (unsigned number = 0; number < 16; ++number)
			session.run(insert(number));
	CHECK(session.findings().size() == 16);
}

TEST(the_one_that_ran_longest_ago_gives_way)
{
	Session session;
	session.begin();
	for (unsigned round = 0; round < 9; ++round)
		for (unsigned number = 0; number < 16; ++number)
			session.run(insert(number));
	session.run(insert(0));  // the tenth: it runs
	session.run(insert(99)); // takes the place of 1
	for (unsigned number = 2; number < 16; ++number)
		session.run(insert(number));
	session.run(insert(1)); // takes the place of 99, and begins anew
	CHECK(session.findings().size() == 15);
	CHECK(repeats(session, insert(0)) == 10 && repeats(session, insert(1)) == 0 && repeats(session, insert(2)) == 10);
}

TEST(a_loop_that_runs_keeps_its_place)
{
	Session session;
	session.begin();
	for (unsigned i = 0; i < 12; ++i)
		session.run(insert(0));
	for (unsigned number = 1; number < 30; ++number)
		session.run(insert(number));
	for (unsigned i = 0; i < 8; ++i)
		session.run(insert(0));
	CHECK(session.only(insert(0), LoopKind::write, 20));
}

TEST(when_all_run_the_one_found_first_gives_way)
{
	Session session;
	session.begin();
	for (unsigned number = 0; number < 16; ++number)
		for (unsigned i = 0; i < 12; ++i)
			session.run(insert(number));
	for (unsigned i = 0; i < 12; ++i)
		session.run(insert(16));
	CHECK(!session.detector->loops().is_running(insert(0).fingerprint));
	CHECK(session.detector->loops().is_running(insert(1).fingerprint));
	CHECK(session.detector->loops().is_running(insert(16).fingerprint));
	CHECK(session.findings().size() == 17);
	for (unsigned number = 0; number < 17; ++number)
		CHECK(repeats(session, insert(number)) == 12);
}

TEST(what_gave_way_does_not_count_for_another)
{
	Session session;
	session.begin();
	for (unsigned number = 0; number < 17; ++number)
		for (unsigned i = 0; i < 12; ++i)
			session.run(insert(number));
	for (unsigned i = 0; i < 100; ++i)
		session.run(insert(0));
	CHECK(repeats(session, insert(16)) == 12);
	CHECK(repeats(session, insert(0)) == 112);
}

TEST(a_statement_without_a_future_is_settled)
{
	Session session;
	session.begin();
	for (unsigned i = 1; i <= 63; ++i)
	{
		session.run(user_by_id, i % 3 + 1, i);
		session.interrupt(1);
		CHECK(!session.detector->loops().is_settled(user_by_id.fingerprint));
	}
	session.run(user_by_id, 1, 64);
	CHECK(session.detector->loops().is_settled(user_by_id.fingerprint));
}

TEST(with_a_high_limit_it_gets_more_looks)
{
	Session session(60);
	session.begin();
	for (unsigned i = 1; i <= 240; ++i)
	{
		CHECK(!session.detector->loops().is_settled(user_by_id.fingerprint));
		session.run(user_by_id, i % 3 + 1, i);
	}
	CHECK(session.detector->loops().is_settled(user_by_id.fingerprint));
}

TEST(who_takes_the_place_of_a_settled_one_is_not)
{
	Session session;
	session.begin();
	for (unsigned i = 1; i <= 64; ++i)
		session.run(user_by_id, i % 3 + 1, i);
	for (unsigned number = 0; number < 16; ++number)
		session.run(insert(number));
	CHECK(!session.detector->loops().is_settled(user_by_id.fingerprint));
	CHECK(!session.detector->loops().is_settled(insert(15).fingerprint));
}

TEST(a_running_loop_is_settled_and_counted_exactly)
{
	Session session;
	session.run_all(user_by_id, 1, 10);
	CHECK(session.detector->loops().is_settled(user_by_id.fingerprint));
	session.run_all(user_by_id, 11, 100'000);
	CHECK(session.only(user_by_id, LoopKind::lookup, 100'000));
}

TEST(in_another_chain_nothing_is_settled)
{
	Session session;
	session.begin();
	for (unsigned i = 1; i <= 64; ++i)
		session.run(user_by_id, i % 3 + 1, i);
	session.commit();
	session.pause(2 * burst_gap);
	session.run(other(0));
	CHECK(!session.detector->loops().is_settled(user_by_id.fingerprint));
}

TEST(in_the_next_stretch_it_is_looked_at_again)
{
	Session session;
	session.begin();
	for (unsigned i = 1; i <= 2000; ++i)
		session.run(user_by_id, i % 3 + 1, i);
	CHECK(session.detector->loops().is_settled(user_by_id.fingerprint));
	session.run_all(user_by_id, 1, 2000);
	const std::vector<Unit> &found = session.findings();
	CHECK(found.size() == 1 && found[0].kind == LoopKind::lookup);
	CHECK(found.size() == 1 && found[0].repeats > 2000 - 1100 && found[0].repeats <= 2000);
}

TEST(suspicious_from_the_second_call_on)
{
	Session session;
	session.run(user_by_id, 1);
	CHECK(!session.detector->loops().is_suspicious(user_by_id.fingerprint));
	session.run(user_by_id, 2);
	CHECK(session.detector->loops().is_suspicious(user_by_id.fingerprint));
}

TEST(a_stretch_begins_after_so_many_statements)
{
	Loops loops = {};
	for (unsigned i = 0; i < stretch - 1; ++i)
	{
		CHECK(!loops.begins_stretch());
		loops.pass();
	}
	CHECK(loops.begins_stretch());
}

TEST(a_statement_that_is_forgotten_begins_anew)
{
	Session session;
	Loops loops = {};
	unsigned dropped = 0;
	const auto call = [&](unsigned key) {
		loops.enter({0, false, key, 0}, burst_gap, [](const Loop &) {});
		return loops.note({1, users, Command::insert, true, false, false, false, false, 0, 0, 1, 0}, 10, burst_gap / 2);
	};
	for (unsigned key = 1; key <= 9; ++key)
		call(key);
	loops.forget(1, [&](const Loop &) { ++dropped; });
	loops.forget(2, [&](const Loop &) { ++dropped; });
	CHECK(dropped == 0);
	for (unsigned key = 10; key <= 18; ++key)
		CHECK(!call(key)->running);
	CHECK(call(19)->running);
	loops.forget(1, [&](const Loop &) { ++dropped; });
	CHECK(dropped == 1 && !loops.is_running(1));
}

TEST(times_are_of_the_calls_and_of_the_pauses_between)
{
	Loops loops = {};
	Loop *loop = nullptr;
	for (unsigned key = 1; key <= 10; ++key)
	{
		loops.enter({key == 1 ? 40 * millisecond : 2 * millisecond, false, key, 0}, burst_gap, [](const Loop &) {});
		loop = loops.note({1, users, Command::insert, true, false, false, false, false, 0, 0, millisecond,
						   key == 1 ? 40 * millisecond : 2 * millisecond},
						  10, burst_gap / 2);
	}
	CHECK(loop->running && loop->calls == 10 && loop->found_at == 10);
	CHECK(loop->measured == 5 && loop->server == 5 * millisecond && loop->waiting == 10 * millisecond);
}

TEST(the_memory_is_plain_and_small)
{
	CHECK(std::is_trivially_copyable_v<Loops>);
	CHECK(sizeof(Loops) <= 4 * 1024);
	CHECK(sizeof(FanOut) + sizeof(Loops) + sizeof(ShapeTable) <= 64 * 1024);
}
