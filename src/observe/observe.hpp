// observe: what other rooms may use of it.

#pragma once

#include "observe/clock.hpp"
#include "observe/query_text.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

struct StatementEntry;

// A top-level statement of a client, from its start to its end.
struct Statement
{
	QueryDesc *query;          // null for a utility command
	std::uint64_t fingerprint; // 0: none
	StatementEntry *entry;     // of the fingerprint, when the statement started; null: none
	bool counted;
	bool own;                  // it ran one of pg_remedy's functions
	Oid user;                  // who ran it; a function inside may be somebody else
	std::uint32_t transaction; // number of its transaction in this session
	Nanoseconds arrived;       // its analysis, or its start where it was prepared
	Nanoseconds waiting;       // from the end of the statement before to its arrival
	Nanoseconds ended;         // the run that ended last, and of it:
	Nanoseconds execution;
	std::uint64_t rows;
};

// A part of the statistics; what is 0 is not restricted.
struct Scope
{
	Oid database;
	Oid user;
	std::uint64_t fingerprint;
};

// What another room wants to be told of top-level statements.  Frames hold plain
// data only.  Functions may be null.
struct Listener
{
	// A statement was analysed; its tree is the listener's to read, not to keep.
	void (*analysed)(const Query *query, Nanoseconds when);
	// A run is about to begin.  May return a receiver that stands before the
	// query's own during this run.  Raises no error but a cancel.
	DestReceiver *(*running)(const Statement &statement);
	// A run ended well, the first one or a further one.  May raise an error.
	void (*ran)(const Statement &statement, bool first_run);
	// A statement that may have triggers has fired them, or a utility command is over, and
	// ended well.  May raise an error.
	void (*finished)(const Statement &statement);
	// Statistics that lie in the scope are to be forgotten.
	void (*reset)(const Scope &scope);
	// The session was handed to somebody else (DISCARD ALL).
	void (*new_session)();
	// What follows is of another request: another user, application, route or trace.
	void (*new_request)();
	// A transaction that wrote something was rolled back.  Raises no error.
	void (*writing_undone)();

	// The four below are told of every query of this process, those inside functions
	// and triggers and those of parallel workers too; statement is null for them.
	// Before the query starts: the listener may add to its instrumentation.
	void (*starting)(QueryDesc *query, const Statement *statement);
	// Around each run, but for the end of a client's statement's run that fails.  Raise no
	// error.
	void (*run_begins)(QueryDesc *query, const Statement *statement);
	void (*run_ended)(QueryDesc *query, const Statement *statement, bool failed);
	// A client's statement that has a query failed, in a run or before or after one.  The
	// transaction or a part of it is being aborted: what the query holds is still open, its
	// memory may be gone.  Raises no error.
	void (*run_failed)(const Statement &statement);
	// Before a query that may have written fires its triggers, whatever the settings are.  Raises no error.
	void (*finishing)(const QueryDesc *query);
	// Before the query ends, with its plan's state and instrumentation at hand.
	void (*ending)(QueryDesc *query);

	// A run of a client's statement that took at least slow_floor ended well; its
	// query is still open.  Raises no error but a cancel.
	void (*slow)(const Statement &statement);
};

// Executions faster than this are no slow ones, whatever the settings say.
constexpr Nanoseconds slow_floor = 10'000'000;

// The median execution time of a statement, 0 if unknown.
Nanoseconds median_execution(std::uint64_t fingerprint, Oid user) noexcept;

// Keeps the text of a query that is no client's statement, and still open, so that it can
// be planned again; without statistics.  Not if that would have to wait.
void keep_text_of(const QueryDesc *query) noexcept;

// The client's statement that is being executed; null when there is none.
const Statement *executing_statement() noexcept;

// From _PG_init.
void start() noexcept;

// From each of pg_remedy's SQL functions, first thing: opens the session where it
// is not open yet, and marks the running statement as our own.
void enter_function() noexcept;

// The text of a statement that this session ran lately, or an unknown one.
RawText statement_text(std::uint64_t fingerprint) noexcept;

enum class PeriodName
{
	transaction, // the running one
	watch,
};

// Gives the statements of a period as the rows of a set-returning function:
// query_id, calls, rows, total_ms, query.
void put_period(FunctionCallInfo call, PeriodName name) noexcept;

// The route of the running unit of work, as its client sent it; empty without one.
const char *route() noexcept;

// The number of the watched stretch, 0 when nothing is watched.
std::uint32_t watch_number() noexcept;

// Whether the current user may see the texts of this one's statements.
bool may_read_texts_of(Oid user) noexcept;

} // namespace remedy::observe
