// When to look at the rows of a statement's scans, which costs a little for each row.
//
// Dense at first, then ever rarer; slow statements more often, as far as that is next
// to nothing beside their own time.  Each session knows a few hundred fingerprints, in
// small sets where the one with the fewest executions gives way.  A statement is a new
// one each time if the session runs more different ones than it can know; then only
// some of the new ones are looked at.

#pragma once

#include <cstdint>

namespace remedy::scans {

class Schedule
{
public:
	using Time = std::int64_t; // microseconds

	// An execution begins; says whether it need not be sampled.  Otherwise is_due() is to
	// be asked.  No fingerprint is 0.
	bool passes(std::uint64_t fingerprint) noexcept
	{
		Slot *const slot = find(fingerprint);

		return slot != nullptr && ++slot->executions < slot->next;
	}

	// The same execution: whether it is to be sampled.
	bool is_due(std::uint64_t fingerprint, Time now) noexcept;

	// The statement reads many rows, or is slow: it stays of interest.
	void note_rows(std::uint64_t fingerprint) noexcept;
	void note_slow(std::uint64_t fingerprint) noexcept;

	// A slow execution ended; false if the statement was not noted as slow.
	bool note_slow_again(std::uint64_t fingerprint, Time now, Time duration) noexcept;

private:
	struct Slot
	{
		std::uint64_t fingerprint;
		std::uint32_t executions; // 0: free
		std::uint32_t next;       // the one to be sampled next
		Time sampled;
		bool scans;
		bool slow;
	};

	static constexpr unsigned set_size = 4;
	static constexpr unsigned sets = 128;
	static constexpr std::uint32_t never = ~std::uint32_t{0};
	static constexpr std::uint32_t first_executions = 4;
	static constexpr std::uint32_t rare_from = 64;
	static constexpr std::uint32_t rare_interval = 1024;
	static constexpr std::uint32_t first_slow_executions = 8;
	static constexpr std::uint32_t slow_interval = 32;
	static constexpr Time slow_pause = 30'000'000;
	static constexpr Time slow_share = 20; // one part in so many of its time
	static constexpr std::uint32_t replaced_interval = 16;

	Slot *set_of(std::uint64_t fingerprint) noexcept { return slots_ + fingerprint % sets * set_size; }

	Slot *find(std::uint64_t fingerprint) noexcept
	{
		Slot *const set = set_of(fingerprint);

		for (unsigned i = 0; i < set_size; ++i)
			if (set[i].fingerprint == fingerprint)
				return &set[i];
		return nullptr;
	}

	static void plan(Slot &slot) noexcept;
	bool starts_anew(std::uint64_t fingerprint, Time now) noexcept;

	std::uint32_t replaced_; // how many slots were taken from other statements
	Slot slots_[sets * set_size];
};

} // namespace remedy::scans
