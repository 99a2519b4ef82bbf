// Queries that are no client's statements: those inside statements, of deferred
// triggers, and of parallel workers.

#pragma once

#include "observe/observe.hpp"
#include "server/hooks.hpp"

namespace remedy::observe {

void start_nested(QueryDesc *query, int flags) noexcept;
void run_nested(const server::Run &run) noexcept;

// A utility command inside a statement; where that is not asked for it merely runs.
void run_nested_command(const server::Utility &utility) noexcept;

} // namespace remedy::observe
