// Which advice was given, and what became of it.
//
// An index that was built on advice is noticed by what it is, however it was made: at the
// end of the command that made it, or else when somebody asks.  What its statements took
// until then is kept, so that it can be told later whether it helped.  An index whose
// transaction is not over, or was rolled back, counts as built for nobody else.
//
// Locking contract.  The region holds the table (advised_table.hpp).
//   - Entries are read with the region's lock held shared and written with it held
//     exclusively.  Who gives or reads advice waits for it; at the end of a user's command
//     it is only tried, and the look is put off to the end of the next one.
//   - The list of watched tables is atomic words: written with the lock held, read without
//     it whenever a relation changes.
//   - Saved advice is taken back before there is any other process, without the lock.

#pragma once

#include "observe/observe.hpp"

namespace remedy::index_advice {

struct Advice
{
	Oid relation;
	// Below 512 bytes.  Names and expressions as the server deparses them while the search
	// path is pg_catalog; the index's own name and CONCURRENTLY do not matter.
	const char *create_index;
	double saving_ms; // expected
	double cost_before;
	double cost_after;
	const std::uint64_t *fingerprints; // of the statements it is to serve, eight of them at most
	int fingerprint_count;
};

// From _PG_init.
void start_advised() noexcept;

// Of this database, instead of what was said before of the same index.  A definition that is too long is not
// remembered.
void remember(const Advice &advice) noexcept;
void forget(Oid relation, const char *create_index) noexcept;

// A copy of all that is remembered, in the current memory context.
class AdvisedTable;
const AdvisedTable &copy_advised() noexcept;

// Of this database, what was neither built nor repeated since.
void forget_unrepeated(TimestampTz since) noexcept;

namespace detail {

extern bool look_is_due; // a table that advice was given for has changed

pg_noinline void look_after_command() noexcept;

} // namespace detail

inline void
finished(const observe::Statement &statement)
{
	if (unlikely(detail::look_is_due) && statement.query == nullptr)
		detail::look_after_command();
}

// Statistics that are forgotten as a whole, or for a database, take their advice along.
void reset(const observe::Scope &scope);

inline constexpr observe::Listener listener = {.finished = finished, .reset = reset};

} // namespace remedy::index_advice
