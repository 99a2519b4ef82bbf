// Who listens to statements, in the order in which they are told.  The list is constant
// and the common cases are inline, so that nothing of it is left but what they do.

#pragma once

#include "findings/findings.hpp"
#include "index_advice/advised.hpp"
#include "observe/samples.hpp"
#include "plans/plans.hpp"
#include "repetition/listener.hpp"
#include "rollup/merge_moves.hpp"
#include "scans/listener.hpp"

namespace remedy {

inline constexpr const observe::Listener *listeners[] = {
	&observe::samples_listener, &findings::listener,     &repetition::listener, &plans::listener,
	&scans::listener,           &index_advice::listener, &rollup::listener};

} // namespace remedy
