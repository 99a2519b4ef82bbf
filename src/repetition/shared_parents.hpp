// Parents whose rows may have children in other sessions: a client with a pool reads a
// list on one connection and asks for its rows on several at once.
//
// Locking contract.  16 places in shared memory, without a lock.  A place is claimed by
// setting its owner's flag; who cannot, publishes nothing.  Its counter of changes is
// odd while it is written, and a reader that sees it change takes what it read for
// nothing.  The children of a place are counted by atomic additions; one that comes
// while the place is given away is lost, or counts for a loop that is reported already.
// A loop that was found is a shared unit of work of the table of findings.

#pragma once

#include "observe/observe.hpp"
#include "repetition/fan_out.hpp"

namespace remedy::repetition {

// From _PG_init.
void declare_shared_parents() noexcept;

// A run of the parent ended, outside of an explicit transaction, with so many rows.
void publish(const Parent &parent, const observe::RawText &raw, std::uint64_t rows, Nanoseconds ended) noexcept;

// All of them are forgotten.
void withdraw_all() noexcept;

// Whether any parent is published that is still of interest.
bool any_published(Nanoseconds now, Nanoseconds parent_life) noexcept;

// A key of an execution was returned by a published parent.
struct PoolLink
{
	int place; // -1: by none
	std::uint32_t change;
	std::uint8_t key;
	std::uint8_t column; // of the parent's columns
	ValueHash value;
};

// Of a key that this session itself was given (own), only its own parents count: what
// others read at the same time is another loop.
PoolLink find_published(bool own, const Shape &shape, const ValueHash *values, Nanoseconds now, Nanoseconds parent_life,
						TieFinder tie) noexcept;

// What is known of a parent and one child of it, over all sessions.
struct PoolLoop
{
	std::uint32_t repeats;
	Nanoseconds server;  // of them all
	Nanoseconds waiting; // before them
	bool found;    // in several sessions, for nearly each row of the parent or twice as often as the threshold says
	bool reported; // by whichever session
	std::uint64_t fingerprint;
	Column column;
	std::uint64_t rows;
};

// Counts an execution that ended well.
PoolLoop note(const PoolLink &link, std::uint64_t fingerprint, Nanoseconds ended, Nanoseconds server,
			  Nanoseconds waiting, unsigned threshold) noexcept;

// The parent's text without constants, in the current memory context, and whose it is;
// empty if the place was given away.
struct ParentText
{
	const char *bytes;
	Oid user;
};

ParentText text_of(const PoolLink &link) noexcept;

// Whether the child is this session's to report, which it is once.
bool claim_report(const PoolLink &link, std::uint64_t fingerprint) noexcept;

// Sets the unit of work that further repeats are added to.
void set_unit(const PoolLink &link, std::uint64_t fingerprint, int unit) noexcept;

} // namespace remedy::repetition
