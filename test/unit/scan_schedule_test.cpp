// sources: src/scans/schedule.cpp

#include "check.hpp"

#include <memory>
#include <set>

#include "scans/schedule.hpp"

namespace {

using remedy::scans::Schedule;

bool
starts(Schedule &schedule, std::uint64_t fingerprint, Schedule::Time now = 0)
{
	return !schedule.passes(fingerprint) && schedule.is_due(fingerprint, now);
}

// The executions, of this many, that are sampled.
template <class Note>
std::set<int>
sampled(Schedule &schedule, std::uint64_t fingerprint, int executions, Note &&note)
{
	std::set<int> numbers;

	for (int i = 1; i <= executions; ++i)
	{
		if (starts(schedule, fingerprint))
			numbers.insert(i);
		note(i);
	}
	return numbers;
}

} // namespace

TEST(a_statement_that_scans_is_sampled_ever_more_rarely)
{
	const auto schedule = std::make_unique<Schedule>();

	CHECK((sampled(*schedule, 5, 4096, [&](int) { schedule->note_rows(5); }) ==
		   std::set<int>{1, 2, 3, 4, 64, 128, 256, 512, 1024, 2048, 3072, 4096}));
}

TEST(one_that_does_not_scan_is_sampled_once)
{
	const auto schedule = std::make_unique<Schedule>();

	CHECK((sampled(*schedule, 5, 5000, [](int) {}) == std::set<int>{1}));
}

TEST(a_slow_one_is_sampled_more_often)
{
	const auto schedule = std::make_unique<Schedule>();

	CHECK((sampled(*schedule, 5, 130, [&](int) { schedule->note_slow(5); }) ==
		   std::set<int>{1, 2, 3, 4, 5, 6, 7, 8, 32, 64, 96, 128}));
}

TEST(one_that_becomes_slow_goes_on_from_there)
{
	const auto schedule = std::make_unique<Schedule>();

	CHECK((sampled(*schedule, 5, 130, [&](int number) {
			   schedule->note_rows(5);
			   if (number == 70)
				   schedule->note_slow(5);
		   }) == std::set<int>{1, 2, 3, 4, 64, 96, 128}));
}

// An execution each second, of a statement that is not sampled for its number.
std::set<int>
sampled_in_time(Schedule::Time duration)
{
	constexpr Schedule::Time second = 1'000'000;
	const auto schedule = std::make_unique<Schedule>();
	std::set<int> numbers;

	for (int i = 1; i < 160; ++i)
	{
		if (starts(*schedule, 5, i * second) && i > 8)
			numbers.insert(i);
		schedule->note_slow(5);
		CHECK(schedule->note_slow_again(5, i * second, duration * second));
	}
	return numbers;
}

TEST(a_slow_one_is_sampled_again_after_half_a_minute)
{
	CHECK((sampled_in_time(1) == std::set<int>{32, 63, 64, 95, 96, 127, 128, 159}));
}

TEST(and_for_a_small_part_of_its_time_only)
{
	CHECK((sampled_in_time(2) == std::set<int>{32, 64, 96, 128}));
}

TEST(one_that_is_not_slow_is_not_asked_for_its_time)
{
	const auto schedule = std::make_unique<Schedule>();

	CHECK(!schedule->note_slow_again(5, 0, 0));
	starts(*schedule, 5);
	schedule->note_rows(5);
	CHECK(!schedule->note_slow_again(5, 0, 0));
}

TEST(statements_do_not_disturb_each_other)
{
	const auto schedule = std::make_unique<Schedule>();

	for (int i = 0; i < 3; ++i)
		starts(*schedule, 1), starts(*schedule, 129), starts(*schedule, 2);
	schedule->note_rows(1);
	CHECK(starts(*schedule, 1));
	CHECK(!starts(*schedule, 129) && !starts(*schedule, 2));
	schedule->note_rows(77);
	CHECK(starts(*schedule, 77));
}

TEST(what_runs_often_stays_and_not_all_that_come_are_sampled)
{
	const auto schedule = std::make_unique<Schedule>();
	int sampled_ones = 0;

	for (int i = 0; i < 1000; ++i)
		starts(*schedule, 128);
	schedule->note_rows(128);
	for (std::uint64_t other = 2; other < 1026; ++other)
		sampled_ones += starts(*schedule, 128 * other);
	CHECK(sampled_ones > 50 && sampled_ones < 100);
	for (int i = 1001; i < 1024; ++i)
		CHECK(!starts(*schedule, 128));
	CHECK(starts(*schedule, 128));
}
