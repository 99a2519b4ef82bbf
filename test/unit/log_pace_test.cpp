// sources:

#include "check.hpp"

#include "repetition/log_pace.hpp"

namespace {

using remedy::Nanoseconds;
using remedy::repetition::LogPace;

constexpr Nanoseconds second = 1'000'000'000;

// Whether there was a line.
bool
line(LogPace &pace, std::uint64_t finding, Nanoseconds now)
{
	if (!pace.may_tell(finding, now))
		return false;
	pace.told(finding, now);
	return true;
}

} // namespace

TEST(a_finding_is_told_of_once_a_minute)
{
	LogPace pace;
	CHECK(line(pace, 1, 0));
	CHECK(!line(pace, 1, 1));
	CHECK(!line(pace, 1, 60 * second - 1));
	CHECK(line(pace, 1, 60 * second));
	CHECK(!line(pace, 1, 61 * second));
}

TEST(each_finding_for_itself)
{
	LogPace pace;
	CHECK(line(pace, 1, 5 * second));
	CHECK(line(pace, 2, 5 * second));
	CHECK(!line(pace, 1, 6 * second));
	CHECK(line(pace, 1, 65 * second));
	CHECK(line(pace, 2, 65 * second));
}

TEST(so_many_lines_a_minute)
{
	LogPace pace;
	unsigned lines = 0;
	for (unsigned finding = 1; finding <= 100; ++finding)
		lines += line(pace, finding, finding);
	CHECK(lines == LogPace::lines_a_minute);
	// What had no line has it in the next minute, if there is room.
	CHECK(line(pace, 50, 61 * second));
	for (unsigned finding = 51; finding <= 100; ++finding)
		lines += line(pace, finding, 61 * second);
	CHECK(lines == 2 * LogPace::lines_a_minute - 1);
}

TEST(what_is_left_out_is_counted)
{
	LogPace pace;
	CHECK(pace.may_tell(1, 0));
	CHECK(pace.told(1, 0) == 0);
	for (int i = 0; i < 7; ++i)
		CHECK(!pace.may_tell(1, second));
	CHECK(pace.may_tell(2, second));
	CHECK(pace.told(2, second) == 7);
	CHECK(!pace.may_tell(2, second));
	CHECK(pace.may_tell(3, second));
	CHECK(pace.told(3, second) == 1);
}

TEST(what_is_silenced_is_not_left_out)
{
	LogPace pace;
	CHECK(pace.may_tell(1, 0));
	pace.silenced(1, 0);
	CHECK(!pace.may_tell(1, second));
	CHECK(pace.may_tell(2, second));
	CHECK(pace.told(2, second) == 0);
	CHECK(pace.may_tell(1, 60 * second)); // it is asked again, and may have been unmuted
	CHECK(pace.told(1, 60 * second) == 0);
	CHECK(!pace.may_tell(1, 61 * second));
	CHECK(pace.may_tell(3, 61 * second));
	CHECK(pace.told(3, 61 * second) == 1);
}

TEST(what_is_silenced_takes_no_line)
{
	LogPace pace;
	for (unsigned finding = 1; finding <= 50; ++finding)
	{
		CHECK(pace.may_tell(finding, finding));
		pace.silenced(finding, finding);
	}
	CHECK(line(pace, 100, 100));
}

TEST(many_findings_fit_into_little_memory)
{
	LogPace pace;
	static_assert(sizeof(pace) < 2048);
	unsigned lines = 0;
	for (unsigned finding = 1; finding <= 100000; ++finding)
		lines += line(pace, finding % 1000 + 1, finding * second / 10);
	CHECK(lines == (100000 / 600 + 1) * LogPace::lines_a_minute);
}
