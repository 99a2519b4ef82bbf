// Advice on indexes: which ones to create, what they save, and why others are not advised.

#pragma once

#include "index_advice/workload.hpp"

namespace remedy::index_advice {

// What an advised index is expected to do.
struct AdvisedIndex
{
	const Considered *considered;
	const WeighedTable *table;
	const char *index_name; // free in the table's schema
	double saving_ms;       // writes deducted
	double write_ms;
	double build_ms;
	double calls;       // of the statements that it serves
	double served_ms;   // that these take now
	double cost_before; // of one call, on average
	double cost_after;
	double break_even; // writes for each of these calls at which it saves nothing any more
	List *queries;     // numbers of the statements that it serves
	const Chosen *chosen;
};

// An index, or a condition, without advice.
struct Declined
{
	const WeighedTable *table;
	const Considered *considered; // null: a condition
	const char *reason;
	double saving_ms;
	List *statements;
};

struct Recommendation
{
	Weighing weighing;
	AdvisedIndex *advised;
	int advised_count;
	List *declined; // of Declined
};

// In the current memory context.  Reads and plans; waits for no lock longer than
// first_lock_wait_ms; can be cancelled at any time.  The charge for bytes is its own.
Recommendation *advise(Limits limits) noexcept;

} // namespace remedy::index_advice
