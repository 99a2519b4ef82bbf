// What the event triggers share.
//
// They never wait for a rollup's row in remedy.rollup: a refresh that holds it may wait for the very table that the
// command has locked.

#pragma once

#include "rollup/following_tree.hpp"
#include "server/guard.hpp"

namespace remedy::rollup {

// A rollup by the relations that it names, of which some may be gone.
struct Parts
{
	Oid view, source, base, rows, cells, marks, now;
	bool is_level; // then rows, cells and marks are its base's
};

List *parts_of_rollups() noexcept; // of Parts *
Oid owner_of(Oid relation) noexcept;

// Deletes the rows of these, of their levels, and of those whose view does not exist; but none that is locked.
void forget_rollups(const List *views) noexcept;

// What an event trigger was called for.
Node *command_of(FunctionCallInfo fcinfo) noexcept;

// Refusals, and what may befall any DDL command: deadlocks, cancels.
bool is_for_user(int sqlstate) noexcept;

// Commands that have committed in between, such as DETACH CONCURRENTLY, have none; but who writes to a table that may
// have toast needs one.
template <class Body>
void
with_snapshot(Body &&body) noexcept
{
	const bool bare = !ActiveSnapshotSet();

	if (bare)
		PushActiveSnapshot(GetTransactionSnapshot());
	body();
	if (bare)
		PopActiveSnapshot();
}

// Else the command goes on, with a line in the log, and unarmed_reason() will tell what it has left behind.
template <class Body>
void
carefully(Body &&body) noexcept
{
	ErrorData *const error = error_of([&]() noexcept { with_snapshot(body); });

	if (error == nullptr)
		return;
	if (is_for_user(error->sqlerrcode))
		ReThrowError(error);
	ereport(LOG, (errcode(error->sqlerrcode),
				  errmsg("pg_remedy could not follow a change of a rollup's source: %s", error->message)));
}

} // namespace remedy::rollup
