// What a statement would cost under any set of its candidate indexes, from few plannings.
//
// The index benefit graph of Schnaitter, Polyzotis and Getoor (2009): its root is the set
// of all candidates, the children of a set are those that lack one index of its plan.  A
// set below differs from the one above only where the planner's choice does.  So each
// plan that any set could get is met, and the cost of a set is that of the cheapest plan
// which it has the indexes for: nothing else is kept.
//
// If plannings or room run out, plans are unknown, and costs are too high rather than too
// low: never that of an index which is not there.
//
// Plain data: the planner may raise errors over it.

#pragma once

#include <bit>
#include <cstdint>

namespace remedy::index_advice {

// Of a statement's at most 64 relevant candidates.
using Set = std::uint64_t;

constexpr Set
only(int number) noexcept
{
	return Set{1} << number;
}

constexpr bool
is_within(Set part, Set whole) noexcept
{
	return (part & ~whole) == 0;
}

class BenefitGraph
{
public:
	struct Plan
	{
		Set available; // to the planner
		Set used;
		double cost;
	};

	// What the planner makes of the statement when it has these indexes.
	struct Planner
	{
		void (*plan)(Set available, double &cost, Set &used, void *context);
		void *context;
	};

	// The plans are the caller's memory, for as long as costs are asked for.  With nothing
	// available is always planned, and so is with all; at least two plannings and plans.
	void build(Set all, const Planner &planner, int at_most, Plan *plans, int plan_limit) noexcept;

	// The same, in memory of just the size: count() plans.
	BenefitGraph moved_to(Plan *plans) const noexcept;

	double cost(Set available) const noexcept { return find(available).cost; }
	Set used(Set available) const noexcept { return find(available).used; }
	double cost_without() const noexcept { return plans_[count_ - 1].cost; } // any of them

	// Whether every cost is the planner's.
	bool exact() const noexcept { return exact_; }

	int plannings() const noexcept { return plannings_; }

	// The distinct plans, from the cheapest on; the last uses no candidate.
	const Plan *plans() const noexcept { return plans_; }
	int count() const noexcept { return count_; }

private:
	const Plan &find(Set available) const noexcept
	{
		const Plan *plan = plans_;

		while (!is_within(plan->used, available))
			++plan;
		return *plan;
	}

	bool has(Set available) const noexcept;
	bool add(Set available, const Planner &planner, int at_most) noexcept;
	bool add_children(const Planner &planner, int at_most) noexcept;
	void add_singles(Set all, const Planner &planner, int at_most) noexcept;
	void keep_best() noexcept;

	Plan *plans_;
	int count_;
	int limit_;
	int plannings_;
	bool exact_;
};

} // namespace remedy::index_advice
