// The values that a statement was run with, one behind the other in a fixed number of
// bytes, and which executions are worth that.  No server headers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "observe/clock.hpp"

namespace remedy::observe {

constexpr std::uint32_t sample_bytes = 1024;
constexpr unsigned samples_per_statement = 4;

enum class ValueKind : std::uint32_t
{
	null,
	word,    // passed by value; of a type that the server does not know by heart: perhaps a pointer
	bytes,   // passed by reference
	missing, // too long, or of a type whose bytes mean nothing elsewhere
};

struct SampledValue
{
	std::uint32_t type;
	ValueKind kind;
	std::uint64_t word;
	const char *bytes; // aligned to 8
	std::uint32_t size;
};

struct Sample
{
	std::int64_t taken_at;
	Nanoseconds execution;
	std::uint32_t user;
	std::uint32_t value_count; // 0: it had none, the bytes are its text, with an end
	std::uint32_t used;
	alignas(8) char bytes[sample_bytes];

	bool is_text() const noexcept { return value_count == 0; }

	// False if the text does not fit.
	bool set_text(const char *text, std::size_t length) noexcept
	{
		if (length >= sample_bytes)
			return false;
		std::memcpy(bytes, text, length);
		bytes[length] = '\0';
		return true;
	}

	// Bytes that do not fit are missing; false if not even that can be said.
	bool add(const SampledValue &value) noexcept
	{
		Header header = {value.type, value.kind, 0, 0};
		if (value.kind == ValueKind::word)
			header.word = value.word;
		if (value.kind == ValueKind::bytes)
			header.size = value.size;
		if (used + sizeof(header) + aligned(header.size) > sample_bytes)
			header = {value.type, ValueKind::missing, 0, 0};
		if (used + sizeof(header) > sample_bytes)
			return false;
		std::memcpy(bytes + used, &header, sizeof(header));
		if (header.size > 0)
			std::memcpy(bytes + used + sizeof(header), value.bytes, header.size);
		used += static_cast<std::uint32_t>(sizeof(header) + aligned(header.size));
		++value_count;
		return true;
	}

	// Calls use(number from 0, value) for each.
	template <class Use>
	void each(Use &&use) const noexcept
	{
		std::uint32_t at = 0;
		for (std::uint32_t i = 0; i < value_count; ++i)
		{
			Header header;
			std::memcpy(&header, bytes + at, sizeof(header));
			use(i, SampledValue{header.type, header.kind, header.word, bytes + at + sizeof(header),
								static_cast<std::uint32_t>(header.size)});
			at += static_cast<std::uint32_t>(sizeof(header) + aligned(header.size));
		}
	}

private:
	struct Header
	{
		std::uint32_t type;
		ValueKind kind;
		std::uint64_t word;
		std::uint64_t size;
	};

	static constexpr std::uint64_t aligned(std::uint64_t size) noexcept { return (size + 7) & ~std::uint64_t{7}; }
};

// The sample of a statement that gives way to the next one: a free one, else the oldest
// but for the slowest, which stays until one is slower.
inline unsigned
place_of_next(const Sample (&samples)[samples_per_statement]) noexcept
{
	unsigned slowest = 0, oldest = samples_per_statement;

	for (unsigned i = 0; i < samples_per_statement; ++i)
	{
		if (samples[i].taken_at == 0)
			return i;
		if (samples[i].execution > samples[slowest].execution)
			slowest = i;
	}
	for (unsigned i = 0; i < samples_per_statement; ++i)
		if (i != slowest && (oldest == samples_per_statement || samples[i].taken_at < samples[oldest].taken_at))
			oldest = i;
	return oldest;
}

// Which executions of a session are sampled: of each statement the first, second,
// fourth, eighth …, and all slow ones; of all together not more than a hundred in a
// second, after the first two hundred.  Statements that share a word count anew each
// time they take turns, so the hundred is what holds.
class SamplingTurns
{
public:
	bool take(std::uint64_t fingerprint, Nanoseconds when, bool slow) noexcept
	{
		Counter &counter = counters_[(fingerprint ^ fingerprint >> 32) % counter_count];
		if (counter.fingerprint != fingerprint)
			counter = {fingerprint, 0};
		++counter.calls;
		if (!slow && (counter.calls & (counter.calls - 1)) != 0)
			return false;
		if (paid_until_ > when + burst * price)
			return false;
		paid_until_ = (paid_until_ > when ? paid_until_ : when) + price;
		return true;
	}

private:
	static constexpr std::uint64_t counter_count = 512;
	static constexpr Nanoseconds price = 10'000'000;
	static constexpr Nanoseconds burst = 200;

	struct Counter
	{
		std::uint64_t fingerprint;
		std::uint64_t calls;
	};

	Counter counters_[counter_count] = {};
	Nanoseconds paid_until_ = 0;
};

} // namespace remedy::observe
