// Units of work in which a finding goes on: counted beside the finding until they end.
// finding_table.hpp has the locking contract.

#pragma once

#include "findings/finding_table.hpp"

namespace remedy::findings {

// A unit of work in which a finding goes on.  Of the repeats some were measured; the
// others are taken to have been alike.
struct Unit
{
	Handle handle;
	std::uint64_t repeats;
	std::uint64_t least;    // repeats that make it a finding's; those of fewer do not count
	std::uint64_t measured; // repeats, in these times
	Nanoseconds server;
	Nanoseconds waiting;
	std::uint64_t parent_rows;
	bool bulk;
	TimestampTz last_seen;

	bool counts_for_something() const noexcept { return handle.serial != 0 && repeats >= least && repeats > 0; }

	Counts counts() const noexcept
	{
		const double scale = measured > 0 ? static_cast<double>(repeats) / static_cast<double>(measured) : 0;
		return {1,
				repeats,
				repeats,
				parent_rows,
				static_cast<Nanoseconds>(static_cast<double>(server) * scale),
				static_cast<Nanoseconds>(static_cast<double>(waiting) * scale),
				bulk,
				last_seen};
	}
};

constexpr std::uint64_t held_back = ~std::uint64_t{0}; // as the least: whether it counts is not known yet

// The place of a unit that begins; that of the one that was written longest ago if there
// is no free one, which then ends here.
int begin_unit(const Unit &unit) noexcept;

// Writes it anew.  False when the finding is gone: then the unit is dropped.
bool write_unit(int place, const Unit &unit) noexcept;

// This backend may raise it without further ado.
std::uint64_t &repeats_of(int place) noexcept;
const Unit &unit_at(int place) noexcept;

// Its counts are added to the finding, or nothing of it counts.
void end_unit(int place) noexcept;
void drop_unit(int place) noexcept;

// A unit of work of several sessions, as a unit whose repeats anyone may raise.  Places are
// few: -1 if none is free.  It counts from the beginning; its end waits for the table's lock.
int begin_shared_unit(Handle handle, std::uint64_t parent_rows) noexcept;
void raise_shared_unit(int place, std::uint64_t repeats, Nanoseconds server, Nanoseconds waiting) noexcept;
void end_shared_unit(int place) noexcept;
void drop_shared_unit(int place) noexcept;

} // namespace remedy::findings
