// The shapes that ran lately.  No server headers.

#pragma once

#include <cstdint>

namespace remedy::repetition {

// Shapes that ran in this unit of work, lately, each once in a row.
struct Recent
{
	static constexpr unsigned limit = 8;
	std::uint64_t last;
	std::uint64_t fingerprints[limit];
	unsigned next;

	void add(std::uint64_t fingerprint) noexcept
	{
		if (fingerprint == last)
			return;
		fingerprints[next] = last = fingerprint;
		next = (next + 1) % limit;
	}
};

} // namespace remedy::repetition
