// Which of the candidate indexes are worth having, for all observed statements together.
//
// What is maximised: the time that statements save, less what the indexes add to writes,
// less a charge for their size and one for each of them, which is the least it must save.
// A statement saves time in proportion to its cost, and only if that falls enough.
//
// Indexes are added by what they save, several at once where a plan uses several (two for
// an OR, one for each table of a join), then dropped, exchanged and merged while it gets
// better.  The order of the input decides ties, so the same input gives the same advice.
//
// Plain data: check() may raise errors over it.

#pragma once

#include <cstddef>

#include "index_advice/benefit_graph.hpp"
#include "index_advice/write_charge.hpp"

namespace remedy::index_advice {

struct Statement
{
	BenefitGraph graph;
	const int *candidates; // the number of each of the graph's
	int candidate_count;
	double ms; // what it takes now, in the time in which writes were counted
};

struct Candidate
{
	int table; // its number
	double bytes;
	double charged_bytes; // those that it is charged for, see Limits::byte_ms
	double entry_ms;      // see write_charge
	Set lost_hot;         // kinds of updates of the table which would no longer be HOT
};

struct Workload
{
	const Statement *statements;
	int statement_count;
	const Candidate *candidates;
	int candidate_count;
	const TableWrites *tables;
	int table_count;
};

struct Limits
{
	double max_bytes = 0;           // of all, 0: any
	int max_indexes = 0;            // 0: any
	double least_ms = 0;            // that an index must save, writes deducted
	double least_share = 0;         // the same, of the time of all statements
	double least_improvement = 0.2; // of a statement's cost, else it does not count
	double byte_ms = 0;             // the charge for having it
};

// A statement that uses a chosen index and improved.
struct Served
{
	int statement;
	double cost_before;  // with none of the chosen
	double cost_without; // with all others
	double cost_after;
};

struct Chosen
{
	int candidate;
	double saving_ms; // what is lost without it, the others staying
	double write_ms;  // what it adds to writes
	const Served *served;
	int served_count;
};

enum class Verdict : std::uint8_t
{
	chosen,
	saves_nothing, // no plan improves by it
	saves_too_little,
	writes_cost_more, // than it saves
	another_serves,
	over_budget,
};

// What became of a candidate.
struct Judged
{
	Verdict verdict;
	int other;        // of another_serves: which
	double saving_ms; // of a refused one: if there were none else, or only those it works with
	double write_ms;
};

struct Selection
{
	const Chosen *chosen; // what saves most comes first
	int chosen_count;
	const Judged *judged; // by number of candidate
	double saving_ms;
	double write_ms;
	double bytes;
};

// The caller's memory, which is not given back, and its interrupts.
struct Surroundings
{
	void *(*allocate)(std::size_t bytes, void *context);
	void (*check)(void *context);
	void *context;

	template <class T>
	T *zeroed(std::size_t count) const noexcept
	{
		T *const array = static_cast<T *>(allocate((count + 1) * sizeof(T), context));

		for (std::size_t i = 0; i < count; ++i)
			array[i] = T{};
		return array;
	}
};

Selection select(const Workload &workload, const Limits &limits, const Surroundings &surroundings) noexcept;

} // namespace remedy::index_advice
