// What scans is told of queries.

#pragma once

#include "scans/samples.hpp"
#include "scans/volume.hpp"

namespace remedy::scans {

void reset(const observe::Scope &scope);

inline constexpr observe::Listener listener = {.reset = reset,
											   .starting = starting,
											   .run_begins = run_begins,
											   .run_ended = run_ended,
											   .run_failed = run_failed,
											   .ending = ending,
											   .slow = note_slow};

} // namespace remedy::scans
