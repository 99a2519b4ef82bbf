// Whose turn it is: a statement's plan is looked at by one process, once in an
// interval.
//
// Locking contract: none.  A word is a statement's tag and the second of its last
// turn.  It is read and changed atomically, so that of many processes one gets the
// turn.  A statement may use one of four words; when others took turns in all four
// within the interval, it goes without: turns are lost, never given too early.

#pragma once

#include <atomic>
#include <cstdint>

namespace remedy::plans {

class Turns
{
public:
	// True if the statement has had no turn for an interval; then it has one now.
	// Seconds come from one clock that does not go back.
	bool take(std::uint64_t statement, std::uint32_t second, std::int32_t interval) noexcept
	{
		std::atomic<std::uint64_t> *const set = words_ + statement % sets * ways;
		const std::uint32_t tag = static_cast<std::uint32_t>(statement >> 32) | 1; // 0: never used
		std::atomic<std::uint64_t> *free = nullptr;
		std::uint64_t seen = 0;

		for (int i = 0; i < ways; ++i)
		{
			const std::uint64_t word = set[i].load(std::memory_order_relaxed);
			// Somebody else's second may be a little ahead of ours.
			const std::int32_t passed = static_cast<std::int32_t>(second - static_cast<std::uint32_t>(word));
			const bool is_over = word == 0 || passed >= interval;

			if (word >> 32 == tag && !is_over)
				return false;
			if (is_over && (free == nullptr || word >> 32 == tag))
			{
				free = &set[i];
				seen = word;
			}
		}
		return free != nullptr && free->compare_exchange_strong(seen, std::uint64_t{tag} << 32 | second);
	}

	void forget() noexcept
	{
		for (std::atomic<std::uint64_t> &word : words_)
			word.store(0, std::memory_order_relaxed);
	}

private:
	static constexpr int ways = 4;
	static constexpr std::uint64_t sets = 512;

	std::atomic<std::uint64_t> words_[sets * ways];
};

} // namespace remedy::plans
