// sources:

#include "check.hpp"

#include "plans/plan_change.hpp"

namespace {

using remedy::Nanoseconds;
using remedy::plans::Change;
using remedy::plans::judge;
using remedy::plans::lost;
using remedy::plans::Runs;

constexpr Nanoseconds ms = 1'000'000;

// So many runs of the same time, one a minute.
Runs
runs(std::uint64_t calls, Nanoseconds execution, std::int64_t first_minute)
{
	Runs all = {};
	for (std::uint64_t i = 0; i < calls; ++i)
		all.add(execution, (first_minute + static_cast<std::int64_t>(i)) * 60'000'000);
	return all;
}

TEST(runs_add_up)
{
	Runs all = {};
	all.add(30 * ms, 1000);
	all.add(10 * ms, 2000);
	all.add(20 * ms, 3000);
	CHECK(all.calls == 3 && all.total == 60 * ms && all.mean() == 20 * ms);
	CHECK(all.min == 10 * ms && all.max == 30 * ms);
	CHECK(all.first_seen == 1000 && all.last_seen == 3000);
}

TEST(a_change_to_twice_the_time_is_found)
{
	CHECK(judge(runs(3, 20 * ms, 0), runs(3, 40 * ms, 10)) == Change::likely);
	CHECK(judge(runs(3, 20 * ms, 0), runs(3, 39 * ms, 10)) == Change::none);
}

TEST(a_change_for_the_better_is_none)
{
	CHECK(judge(runs(3, 400 * ms, 0), runs(3, 40 * ms, 10)) == Change::none);
}

TEST(one_slow_run_is_no_evidence)
{
	Runs waited = runs(2, 20 * ms, 10);
	waited.add(60'000 * ms, 12 * 60'000'000);
	CHECK(judge(runs(3, 20 * ms, 0), waited) == Change::none);
	CHECK(waited.typical() == 20 * ms && runs(1, 20 * ms, 0).typical() == 20 * ms);
}

TEST(two_runs_are_no_evidence)
{
	CHECK(judge(runs(9, 20 * ms, 0), runs(2, 900 * ms, 10)) == Change::none);
}

TEST(an_older_plan_seen_once_makes_it_possible)
{
	CHECK(judge(runs(1, 20 * ms, 0), runs(3, 900 * ms, 10)) == Change::possible);
	CHECK(judge(runs(2, 20 * ms, 0), runs(3, 900 * ms, 10)) == Change::possible);
	CHECK(judge(Runs{}, runs(3, 900 * ms, 10)) == Change::none);
}

TEST(plans_that_take_turns_are_a_choice_and_no_change)
{
	CHECK(judge(runs(20, 20 * ms, 0), runs(3, 900 * ms, 10)) == Change::none);
	CHECK(judge(runs(11, 20 * ms, 0), runs(3, 900 * ms, 10)) == Change::none);
	CHECK(judge(runs(10, 20 * ms, 0), runs(3, 900 * ms, 10)) == Change::likely);
}

TEST(times_that_overlap_make_it_possible)
{
	Runs older = runs(3, 20 * ms, 0);
	older.add(100 * ms, 5 * 60'000'000);
	CHECK(judge(older, runs(3, 100 * ms, 10)) == Change::possible);
	CHECK(judge(older, runs(3, 101 * ms, 10)) == Change::likely);
}

TEST(what_was_lost_is_counted_of_the_runs_that_were_seen)
{
	CHECK(lost(runs(3, 20 * ms, 0), runs(4, 50 * ms, 10)) == 120 * ms);
}

} // namespace
