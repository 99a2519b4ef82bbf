// Texts of statements that a backend met lately, on their way to the store: a part of
// its journal, with the same locking contract.  No server headers.

#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "observe/text_store.hpp"

namespace remedy::observe {

class NewTexts
{
public:
	// Of which one text takes little more than a third, and the last third is for the time
	// that somebody holds the lock.
	static constexpr std::uint32_t capacity = 12288;
	static constexpr std::uint32_t worth_folding = 8192;

	bool are_worth_folding() const noexcept { return written_.load(std::memory_order_relaxed) >= worth_folding; }

	bool has_room(std::uint32_t length) const noexcept
	{
		return written_.load(std::memory_order_relaxed) + bytes_for(length) <= capacity;
	}

	// The backend's own, where it has room.
	void add(std::uint64_t fingerprint, const TextTraits &traits, const char *text, std::uint32_t length) noexcept
	{
		const std::uint32_t at = written_.load(std::memory_order_relaxed);
		const Head head = {fingerprint, traits, length};
		std::memcpy(bytes_ + at, &head, sizeof(head));
		std::memcpy(bytes_ + at + sizeof(head), text, length);
		written_.store(at + bytes_for(length), std::memory_order_release);
	}

	// Everything is folded.
	void empty() noexcept
	{
		folded_ = 0;
		written_.store(0, std::memory_order_relaxed);
	}

	// Offers what was written since the last time to the store.  Returns how many found no room there.
	unsigned fold(TextStore &into) noexcept
	{
		const std::uint32_t written = written_.load(std::memory_order_acquire);
		unsigned missed = 0;
		while (folded_ < written)
		{
			Head head;
			std::memcpy(&head, bytes_ + folded_, sizeof(head));
			missed += !into.offer(head.fingerprint, head.traits, bytes_ + folded_ + sizeof(head), head.length);
			folded_ += bytes_for(head.length);
		}
		return missed;
	}

private:
	struct Head
	{
		std::uint64_t fingerprint;
		TextTraits traits;
		std::uint32_t length;
	};

	static constexpr std::uint32_t bytes_for(std::uint32_t length) noexcept { return sizeof(Head) + length; }

	std::atomic<std::uint32_t> written_;
	std::uint32_t folded_; // of who holds the lock
	char bytes_[capacity];
};

} // namespace remedy::observe
