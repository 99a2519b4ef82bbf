// The shared table of kept plans, a fixed number of them.
//
// Locking contract.  The region holds the turns (turns.hpp, no lock) and the entries.
//   - Entries are read with the region's lock held shared and written with it held
//     exclusively; there is no other access.
//   - Who keeps a plan is in the middle of a user's statement: it only tries the lock,
//     and counts the plan as missed where somebody else has it.
//   - Readers and resets wait for it.  They hold it to copy or to empty entries.
//   - Saved plans are taken back before there is any other process, without the lock.

#pragma once

#include "observe/observe.hpp"
#include "plans/plan_change.hpp"
#include "server/headers.hpp"

namespace remedy::plans {

constexpr int text_bytes = 4096;
constexpr int tables_bytes = 512;

// A statement with one of its plans.
struct PlanKey
{
	Oid database;
	Oid user;
	std::uint64_t fingerprint;
	std::uint64_t plan; // hash of the plan's shape

	bool same_statement(const PlanKey &other) const noexcept
	{
		return database == other.database && user == other.user && fingerprint == other.fingerprint;
	}

	bool operator==(const PlanKey &other) const noexcept { return same_statement(other) && plan == other.plan; }
};

// Of the latest run that was looked at.  The texts are in the encoding of its database.
struct PlanText
{
	int encoding;
	bool masked;               // holds no values
	bool standard_strings;     // how to read the values that it holds
	int table_count;           // named by the statement
	bool temporary;            // one of them is
	char tables[tables_bytes]; // their names, qualified
	char plan[text_bytes];
};

struct KeptPlan
{
	PlanKey key;
	Runs runs; // no calls: the entry is free
	PlanText text;
};

// From _PG_init.
void declare_plan_table() noexcept;

// Whether the statement's plan may be looked at now; then not again for an interval.
bool take_turn(const observe::Statement &statement) noexcept;

// Enters a run of the plan.  Raises no error and does not wait.
void keep(const PlanKey &key, const PlanText &text, Nanoseconds execution) noexcept;

// In the postmaster, for a plan that was saved; false if there is no room.
bool take_back(const KeptPlan &plan) noexcept;

// A plan that should have been kept was not.
void count_missed() noexcept;

void reset_plans(const observe::Scope &scope) noexcept;

struct TableStatus
{
	int used;
	int limit;
	std::uint64_t evicted; // forgotten for others
	std::uint64_t missed;
};

TableStatus table_status() noexcept;

// Copies of the entries, ordered by statement and first_seen, in the current memory
// context.
const KeptPlan **copy_plans(int &count) noexcept;

} // namespace remedy::plans
