// From a child that the rule holds for to a finding: names, texts, counts, and
// what is done about it.

#pragma once

#include "repetition/describing.hpp"

namespace remedy::repetition {

// Brings the finding of a found child up to date: enters it, the first time in a
// unit of work, with its names and texts; afterwards only counts move.  What
// cannot be entered now is tried again with the next repeat.  Raises no error but
// a cancel.
void report(FanOut &fan_out, ShapeTable &shapes, const Child &child) noexcept;

// The same of a running loop, of which one more execution ended.  Returns where further repeats can be counted by
// raising a number, until the report ends; null if nowhere.
std::uint64_t *report(Loops &loops, ShapeTable &shapes, const Loop &loop) noexcept;

// The same of a loop that several sessions share, which holds and which nobody reported yet.
void report(ShapeTable &shapes, const PoolLink &link, const PoolLoop &loop, std::uint64_t fingerprint) noexcept;

// The same of a query that ran again and again inside one statement.
void report(const NestedLoop &loop) noexcept;

// The child's repeats are counted with a loop that several sessions share.
void drop_report(FanOut &fan_out, const Child &child) noexcept;

// The loop's unit of work is over; or nothing of it counts.
void end_report(const Loops &loops, const Loop &loop) noexcept;
void drop_report(const Loops &loops, const Loop &loop) noexcept;

// The same of all children.
void end_child_reports(bool count) noexcept;

// When the detector forgets its children and loops.
void forget_reports() noexcept;

// Does what pg_remedy.n_plus_one_action asks for, once for each child or loop found in
// the unit of work.  May raise an error.
void act(FanOut &fan_out, ShapeTable &shapes);
void act(Loops &loops, ShapeTable &shapes, const Loop &loop);

// A finding of the watched stretch, its counts being those of the stretch.
struct Watched
{
	findings::Finding finding;
	Watched *next;
};

// In the order of their making; null when nothing was found in the stretch.
const Watched *first_watched() noexcept;

} // namespace remedy::repetition
