// Loops inside the server: a function or trigger that runs the same query again and again
// within one statement of the client.  They cost no round trips, but what a set-based
// query would do at once they do row by row: a kind of finding of their own.
//
// Counted in fixed memory of the session; the queries of referential checks are left out,
// and those that read no table of a user's.

#pragma once

#include "observe/observe.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

namespace detail {

extern bool server_loops_found; // in the statement that is being executed

} // namespace detail

// A query inside another statement is about to run.
void note_nested_run(const QueryDesc *query) noexcept;

// The client's statement ended well: enters what was found in it.
pg_noinline void report_server_loops(const observe::Statement &statement) noexcept;

} // namespace remedy::repetition
