// What is weighed against what: this database's observed statements, the tables that they
// name, and the indexes that are considered for these.
//
// Plain data, in the memory context of the advice.  Locks are held for one statement or
// table at a time, each in a subtransaction that is undone.

#pragma once

#include "index_advice/candidates.hpp"
#include "index_advice/selection.hpp"
#include "observe/replannable.hpp"
#include "scans/evidence.hpp"
#include "server/guard.hpp"
#include "what_if/what_if.hpp"

namespace remedy::index_advice {

// A table is not worth an index below this many pages.
constexpr double least_pages = 100;

constexpr int first_lock_wait_ms = 200;

// An index that is considered.
struct Considered
{
	Definition definition;
	const char *ddl;                    // without a name, not CONCURRENTLY
	const what_if::Hypothetical *index; // null until it is defined, and if it cannot be
	int table;
	int proposer;  // the first of the statements
	double keys;   // that GIN would have for a row
	double bytes;  // of it, and
	double tuples; // in it
};

struct WeighedTable
{
	Oid relation;
	Oid schema;
	const char *own_name; // as it is in pg_class
	const char *name;     // qualified and quoted
	double pages;
	double tuples;
	bool partitioned;
	ExistingIndex *existing;
	int existing_count;
	Bitmapset *indexed; // columns that an index has, as pull_varattnos numbers them
	TableWrites writes;
	Bitmapset *set[update_kinds]; // columns that each kind of update sets, likewise
	double updates_of[update_kinds];
	List *considered; // numbers
};

struct Observed
{
	observe::Replannable form;
	double calls;
	double ms;          // of all calls together, with the indexes that there are now
	double cost_then;   // of its calls, if none came since an index was built on advice; else 0
	double rows;        // that they returned or wrote
	int sqlstate;       // why it could not be planned; 0: it was
	List *own;          // numbers of the considered indexes that it proposes
	int candidates[64]; // those that it was planned with
	int candidate_count;
	BenefitGraph graph;
	bool priced;
};

// Why there is no advice for what a statement asks for.
struct Reason_not
{
	int table;
	const char *text;
	List *statements; // numbers
};

struct Weighing
{
	MemoryContext memory;
	scans::EvidenceList evidence; // of this database's scans
	Observed *statements;
	int statement_count;
	List *tables;     // of WeighedTable
	List *considered; // of Considered
	List *refusals;   // of Reason_not
	double ms;        // of all statements
	int lock_wait_ms; // at most, for each lock
};

inline WeighedTable &
table_of(const Weighing &weighing, int number) noexcept
{
	return *static_cast<WeighedTable *>(list_nth(weighing.tables, number));
}

inline Considered &
considered_of(const Weighing &weighing, int number) noexcept
{
	return *static_cast<Considered *>(list_nth(weighing.considered, number));
}

// Until the subtransaction's end.
void wait_for_locks(int ms) noexcept;

// A body that locks what others may have locked for long: each lock that was waited for in
// vain halves the time for the next, so the whole advice waits little over twice the first.
// That is less than deadlock_timeout, so that nobody else is told of a deadlock with us.
template <class Body>
int
trial_with_locks(Weighing &weighing, Body &&body) noexcept
{
	const int sqlstate = trial([&]() noexcept {
		wait_for_locks(weighing.lock_wait_ms);
		body();
	});

	if (sqlstate == ERRCODE_LOCK_NOT_AVAILABLE)
		weighing.lock_wait_ms = Max(weighing.lock_wait_ms / 2, 1);
	return sqlstate;
}

// The number of the considered index, which is a new one if nobody proposed it before.
int consider(Weighing &weighing, const Definition &definition, int proposer) noexcept;

// The statements, with what they propose, and their tables.
void gather(Weighing &weighing) noexcept;

// Adds indexes that serve several statements at once, and defines all.
void combine(Weighing &weighing) noexcept;

// What the statements would cost with them.
void price(Weighing &weighing) noexcept;

} // namespace remedy::index_advice
