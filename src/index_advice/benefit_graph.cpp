#include "index_advice/benefit_graph.hpp"

#include <algorithm>
#include <tuple>

namespace remedy::index_advice {

void
BenefitGraph::build(Set all, const Planner &planner, int at_most, Plan *plans, int plan_limit) noexcept
{
	plans_ = plans;
	count_ = 0;
	limit_ = plan_limit;
	plannings_ = 0;

	at_most = std::max(at_most, 2);
	add(0, planner, at_most);
	add(all, planner, at_most);
	// Should the graph be too large, of each index is known at least what it does alone.
	exact_ = add_children(planner, at_most - std::min(std::popcount(all), at_most / 2));
	if (!exact_)
	{
		add_singles(all, planner, at_most);
		exact_ = add_children(planner, at_most);
	}
	keep_best();
}

BenefitGraph
BenefitGraph::moved_to(Plan *plans) const noexcept
{
	BenefitGraph moved = *this;

	std::copy(plans_, plans_ + count_, plans);
	moved.plans_ = plans;
	moved.limit_ = count_;
	return moved;
}

bool
BenefitGraph::has(Set available) const noexcept
{
	return std::any_of(plans_, plans_ + count_, [=](const Plan &plan) { return plan.available == available; });
}

// A plan that a larger set got is the choice of each smaller one that has its indexes:
// the planner need not be asked.  False if it was to be asked too often, or if there
// is no room.
bool
BenefitGraph::add(Set available, const Planner &planner, int at_most) noexcept
{
	if (has(available))
		return true;
	if (count_ == limit_)
		return false;

	Plan &plan = plans_[count_];
	const Plan *const known = std::find_if(plans_, plans_ + count_, [=](const Plan &other) {
		return is_within(other.used, available) && is_within(available, other.available);
	});
	if (known != plans_ + count_)
		plan = {available, known->used, known->cost};
	else if (plannings_ < at_most)
	{
		++plannings_;
		plan = {available, 0, 0};
		planner.plan(available, plan.cost, plan.used, planner.context);
		plan.used &= available;
	}
	else
		return false;
	++count_;
	return true;
}

// Breadth first: what is added is visited later.  Can be called again to go on.
bool
BenefitGraph::add_children(const Planner &planner, int at_most) noexcept
{
	for (int i = 0; i < count_; ++i)
		for (Set left = plans_[i].used; left != 0; left &= left - 1)
			if (!add(plans_[i].available & ~only(std::countr_zero(left)), planner, at_most))
				return false;
	return true;
}

void
BenefitGraph::add_singles(Set all, const Planner &planner, int at_most) noexcept
{
	for (Set left = all; left != 0; left &= left - 1)
		if (!add(only(std::countr_zero(left)), planner, at_most))
			return;
}

// Without those that need more indexes than another one which is as cheap.
void
BenefitGraph::keep_best() noexcept
{
	const Plan *const end = plans_ + count_;

	std::sort(plans_, plans_ + count_, [](const Plan &one, const Plan &other) {
		return std::tuple(one.cost, std::popcount(one.used), one.used) <
			   std::tuple(other.cost, std::popcount(other.used), other.used);
	});
	count_ = 0;
	for (const Plan *plan = plans_; plan < end; ++plan)
		if (std::none_of(plans_, plans_ + count_, [=](const Plan &kept) { return is_within(kept.used, plan->used); }))
			plans_[count_++] = *plan;
}

} // namespace remedy::index_advice
