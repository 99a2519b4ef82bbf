// sources: src/scans/schedule.cpp

#include "check.hpp"

#include <memory>
#include <set>

#include "scans/schedule.hpp"

namespace {

using remedy::scans::Schedule;

bool
starts(Schedule &schedule, std::uint64_t fingerprint)
{
	return !schedule.passes(fingerprint) && schedule.is_due(fingerprint);
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
		   std::set<int>{1, 2, 3, 4, 32, 64, 96, 128}));
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
