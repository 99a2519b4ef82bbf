// What the beginning and the end of an execution have in common.  For detection.cpp and
// noting.cpp alone.

#pragma once

#include "repetition/listener.hpp"
#include "repetition/shared_parents.hpp"

namespace remedy::repetition::detail {

constexpr std::uint32_t suspicious_calls = 3; // in one unit of work

// What look_at() found out for end_execution().
struct Found
{
	Execution execution; // fingerprint 0: nothing
	Parent *held;        // its output goes there
	bool may_loop;
	PoolLink pool_link; // place -1: none
};

extern Found found;

// The shape of a statement; a new one where it is not known.
Shape &shape_of(std::uint64_t fingerprint) noexcept;
Shape &shape_of(const observe::Statement &statement) noexcept;

Moment moment_of(const observe::Statement &statement) noexcept;

// The constants of the shape's keys, as they were found when the statement was analysed
// last, if it was this one; otherwise null.
const ValueHash *constants_of(const Shape &shape) noexcept;

void find_unique_keys(Shape &shape) noexcept;

// Whether nothing is to be found out about the statement for the rest of the unit of work,
// if nothing else changes.
bool is_settled(const Shape &shape, const Moment &moment, bool any_parent) noexcept;

// From here on its executions are counted, no more: by raising that number, if there is one.
void settle(const observe::Statement &statement, Shape &shape, std::uint64_t *counter) noexcept;

} // namespace remedy::repetition::detail
