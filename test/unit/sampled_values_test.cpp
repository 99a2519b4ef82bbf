// sources:

#include "check.hpp"

#include <string>
#include <vector>

#include "observe/sampled_values.hpp"

namespace {

using namespace remedy::observe;
using remedy::Nanoseconds;

TEST(values_come_back_as_they_were)
{
	Sample sample = {};
	CHECK(sample.is_text());
	CHECK(sample.add({23, ValueKind::word, 42, nullptr, 0}));
	CHECK(sample.add({25, ValueKind::bytes, 0, "seven b", 7}));
	CHECK(sample.add({25, ValueKind::null, 9, nullptr, 9}));
	CHECK(sample.add({20, ValueKind::word, ~0ull, nullptr, 0}));
	CHECK(!sample.is_text());
	std::vector<SampledValue> values;
	sample.each([&](unsigned i, const SampledValue &value) {
		CHECK(i == values.size());
		values.push_back(value);
	});
	CHECK(values.size() == 4);
	CHECK(values[0].type == 23 && values[0].word == 42);
	CHECK(values[1].size == 7 && std::string(values[1].bytes, 7) == "seven b");
	CHECK((values[1].bytes - sample.bytes) % 8 == 0);
	CHECK(values[2].kind == ValueKind::null && values[2].size == 0 && values[2].word == 0);
	CHECK(values[3].word == ~0ull);
}

TEST(what_does_not_fit_is_missing)
{
	const std::string text(sample_bytes, 'x');
	Sample sample = {};
	int missing = 0;
	CHECK(sample.add({25, ValueKind::bytes, 0, text.data(), 900}));
	CHECK(sample.add({25, ValueKind::bytes, 0, text.data(), 200}));
	CHECK(sample.add({25, ValueKind::bytes, 0, text.data(), 8}));
	while (sample.add({23, ValueKind::word, 1, nullptr, 0}))
		;
	CHECK(sample.used <= sample_bytes && sample.value_count == 4);
	sample.each([&](unsigned, const SampledValue &value) { missing += value.kind == ValueKind::missing; });
	CHECK(missing == 1);
}

TEST(a_text_fits_with_its_end)
{
	const std::string text(sample_bytes, 'x');
	Sample sample = {};
	CHECK(!sample.set_text(text.data(), sample_bytes));
	CHECK(sample.set_text(text.data(), sample_bytes - 1));
	CHECK(std::string(sample.bytes) == text.substr(1));
}

TEST(the_slowest_stays)
{
	Sample samples[samples_per_statement] = {};
	const Nanoseconds executions[] = {5, 90, 6, 7, 8, 9, 100, 1, 1, 1};
	std::int64_t when = 0;
	for (const Nanoseconds execution : executions)
	{
		Sample &sample = samples[place_of_next(samples)];
		sample.taken_at = ++when;
		sample.execution = execution;
	}
	int slow = 0, young = 0;
	for (const Sample &sample : samples)
	{
		slow += sample.execution == 100;
		young += sample.taken_at >= 8;
	}
	CHECK(slow == 1 && young == 3);
}

TEST(turns_are_taken_ever_more_rarely)
{
	SamplingTurns turns;
	int taken = 0;
	for (int i = 0; i < 1000; ++i)
		taken += turns.take(7, 1'000'000'000, false);
	CHECK(taken == 10);
	CHECK(turns.take(8, 1'000'000'000, false));
	CHECK(turns.take(7, 1'000'000'000, true));
}

TEST(no_more_than_a_hundred_a_second)
{
	SamplingTurns turns;
	int taken = 0;
	// Two that share a word, in turns, for ten seconds.
	for (int i = 0; i < 100'000; ++i)
		taken += turns.take(i % 2 == 0 ? 3 : 3 + 512, 1'000'000'000 + i * Nanoseconds{100'000}, false);
	CHECK(taken > 1000 && taken <= 1202);
}

} // namespace
