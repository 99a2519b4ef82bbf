// What repetition is told of statements.  Those about which nothing is to be found out
// pass here, inlined into who tells it.

#pragma once

#include "observe/observe.hpp"
#include "observe/session.hpp"
#include "repetition/fan_out.hpp"
#include "repetition/loops.hpp"
#include "repetition/recent.hpp"
#include "repetition/server_loops.hpp"
#include "repetition/settings.hpp"
#include "repetition/shapes.hpp"

namespace remedy::repetition {

constexpr Nanoseconds parent_life = 1'000'000'000; // a cold client needs up to 0.1 s for its first child

inline Limits
limits() noexcept
{
	return {static_cast<unsigned>(settings.threshold), settings.burst_gap_ms * Nanoseconds{1'000'000}, parent_life};
}

namespace detail {

// The constants of the statement that was analysed last.
struct Constants
{
	std::uint64_t fingerprint;
	ValueHash values[keys_per_shape];
};

// Everything a session remembers of its statements, but for their texts.
struct Memory
{
	FanOut fan_out;
	Loops loops;
	ShapeTable shapes;
	Recent recent;
	Constants constants;
};

static_assert(sizeof(Memory) <= 64 * 1024, "a promise of docs/n-plus-one.md");

extern Memory memory; // of which nothing is touched before it is needed
extern bool noted;    // look_at() found out something about the running statement

// Changes with all that could make more of a statement worth a look: a new unit of work,
// an output that is held, a watched stretch, a setting.  A statement's entry has the one
// for which nothing is to be found out about it.
extern std::uint32_t outlook;

extern std::uint64_t ignored; // a count that nobody asks for

pg_noinline DestReceiver *look_at(const observe::Statement &statement) noexcept;
pg_noinline void end_execution(const observe::Statement &statement, bool first_run);

// Whether the statement belongs to the unit of work of the one before, and nothing
// depends on it in there.
inline bool
is_quiet(const observe::Statement &statement) noexcept
{
	const observe::StatementEntry *const entry = statement.entry;

	return entry != nullptr && entry->settled_for == outlook && entry->fingerprint == statement.fingerprint &&
		   memory.fan_out.follow(statement.transaction, statement.waiting, IsTransactionBlock, limits());
}

} // namespace detail

void analysed(const Query *query, Nanoseconds when);

inline DestReceiver *
running(const observe::Statement &statement)
{
	detail::noted = false;
	if (unlikely(!detail::is_quiet(statement) || !detail::memory.loops.pass()))
		return detail::look_at(statement);
	detail::memory.recent.add(statement.fingerprint);
	++*statement.entry->passed;
	return nullptr;
}

inline void
ran(const observe::Statement &statement, bool first_run)
{
	if (unlikely(detail::noted))
		detail::end_execution(statement, first_run);
	if (unlikely(detail::server_loops_found))
		report_server_loops(statement);
}

inline void
finished(const observe::Statement &statement)
{
	if (unlikely(detail::server_loops_found))
		report_server_loops(statement);
}

// Queries inside others are told of without a statement.
inline void
run_begins(QueryDesc *query, const observe::Statement *statement)
{
	if (statement == nullptr)
		note_nested_run(query);
}

void reset(const observe::Scope &scope);
void forget_units();
void new_request();
void writing_undone();

inline constexpr observe::Listener listener = {.analysed = analysed,
											   .running = running,
											   .ran = ran,
											   .finished = finished,
											   .reset = reset,
											   .new_session = forget_units,
											   .new_request = new_request,
											   .writing_undone = writing_undone,
											   .run_begins = run_begins};

} // namespace remedy::repetition
