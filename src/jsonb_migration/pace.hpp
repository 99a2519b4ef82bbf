// When the backfill is to rest, and what else it does meanwhile.

#pragma once

#include "server/headers.hpp"

namespace remedy::jsonb_migration {

// Zero or null: not looked at.
struct Limits
{
	int64 lag_bytes;         // of the standby that is furthest behind in replay
	double checkpoint_share; // of max_wal_size that was written since the last checkpoint, 0 to 1
	int archive_segments;    // that wait for archive_command
	int active_sessions;     // that run a statement, without this one
	const char *query;       // the user's, one boolean: rest while it is true
};

// Why to rest now, for people; null if there is nothing against going on.
const char *reason_to_rest(const Limits &limits) noexcept;

} // namespace remedy::jsonb_migration
