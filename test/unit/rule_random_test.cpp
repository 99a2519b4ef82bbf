// sources: src/repetition/loops.cpp src/repetition/fan_out.cpp

#include "check.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "rule_stream.hpp"

// What the fuzzer plays, from random bytes that are always the same: for machines without a fuzzer.

TEST(what_must_hold_does_for_random_bytes)
{
	std::mt19937_64 random(1);
	unsigned findings = 0;
	for (unsigned i = 0; i < 3000; ++i)
	{
		std::vector<std::uint8_t> bytes(1 + random() % 300);
		std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random()); });
		rule::Stream stream(bytes.data(), bytes.size());
		stream.play();
		findings += stream.findings();
	}
	CHECK(findings > 1000);
}
