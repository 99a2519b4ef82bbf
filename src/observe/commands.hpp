// Utility commands, and what runs inside them.

#pragma once

#include "observe/execution.hpp"
#include "server/guard.hpp"
#include "server/hooks.hpp"

namespace remedy::observe {

void on_utility(const server::Utility &utility);

// A utility command was analysed.
void note_command(const Query *query) noexcept;

const PlannedStmt *opening_cursor() noexcept; // DECLARE CURSOR, while inside it
bool explaining() noexcept;                   // the command is EXPLAIN
bool fetching() noexcept;                     // inside FETCH or MOVE

// Runs what is no client's statement, whatever queries that runs.
template <class Body>
void
run_elsewhere(Body &&body) noexcept
{
	const bool before = detail::mode.elsewhere;

	detail::mode.elsewhere = true;
	finally(body, [before](bool) noexcept { detail::mode.elsewhere = before; });
}

} // namespace remedy::observe
