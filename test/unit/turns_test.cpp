// sources:

#include "check.hpp"

#include <thread>

#include "plans/turns.hpp"

namespace {

using remedy::plans::Turns;

// Five statements that share the four words of a set, apart in their tags.
constexpr std::uint64_t rival = std::uint64_t{2} << 32;

TEST(a_turn_is_given_once_in_an_interval)
{
	Turns turns = {};
	CHECK(turns.take(7, 1000, 60));
	CHECK(!turns.take(7, 1000, 60));
	CHECK(!turns.take(7, 1059, 60));
	CHECK(turns.take(7, 1060, 60));
	CHECK(!turns.take(7, 1061, 60));
}

TEST(an_interval_of_nothing_always_gives_turns)
{
	Turns turns = {};
	CHECK(turns.take(7, 1000, 0));
	CHECK(turns.take(7, 1000, 0));
}

TEST(the_first_second_of_the_clock_is_no_special_one)
{
	Turns turns = {};
	CHECK(turns.take(7, 0, 60));
	CHECK(!turns.take(7, 1, 60));
}

TEST(statements_that_share_a_set_do_not_take_each_other_s_turns)
{
	Turns turns = {};
	for (std::uint64_t i = 0; i < 4; ++i)
		CHECK(turns.take(7 + i * rival, 1000, 60));
	for (std::uint64_t i = 0; i < 4; ++i)
		CHECK(!turns.take(7 + i * rival, 1030, 60));
	// The fifth waits for one of them, and never makes one come too early.
	CHECK(!turns.take(7 + 4 * rival, 1030, 60));
	CHECK(turns.take(7 + 4 * rival, 1060, 60));
	CHECK(!turns.take(7 + 4 * rival, 1061, 60));
}

TEST(a_statement_keeps_its_word)
{
	Turns turns = {};
	CHECK(turns.take(7 + rival, 1000, 60));
	CHECK(turns.take(7, 1030, 60));
	// The first word is free by now, but not the statement's own, which must not stay behind.
	CHECK(!turns.take(7, 1070, 60));
}

TEST(a_clock_a_little_behind_gives_no_turn)
{
	Turns turns = {};
	CHECK(turns.take(7, 1000, 60));
	CHECK(!turns.take(7, 999, 60));
}

TEST(after_forgetting_turns_are_given)
{
	Turns turns = {};
	CHECK(turns.take(7, 1000, 60));
	turns.forget();
	CHECK(turns.take(7, 1001, 60));
}

TEST(of_many_one_gets_the_turn)
{
	constexpr int threads = 4;
	constexpr int rounds = 2000;
	static Turns turns;
	static std::atomic<int> taken[rounds];
	std::thread pool[threads];

	for (std::thread &thread : pool)
		thread = std::thread([] {
			for (int i = 0; i < rounds; ++i)
				taken[i] += turns.take(i % 3, 1000 + 60 * (i / 3), 60);
		});
	for (std::thread &thread : pool)
		thread.join();
	int too_many = 0;
	for (const std::atomic<int> &times : taken)
		too_many += times > 1;
	CHECK(too_many == 0);
}

} // namespace
