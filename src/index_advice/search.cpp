#include "index_advice/search.hpp"

#include <algorithm>
#include <bit>

namespace remedy::index_advice {

void
Search::prepare(Choice &choice, const Surroundings &surroundings) noexcept
{
	const int candidates = choice.workload().candidate_count;

	choice_ = &choice;
	surroundings_ = surroundings;
	changed_ = surroundings.zeroed<int>(candidates);
	clock_ = 0;
	loss_ = surroundings.zeroed<double>(candidates);
	flipped_ = surroundings.zeroed<int>(2 * candidates);
	flipped_count_ = 0;
	list_steps();
}

// Each candidate alone, and those that a plan uses together.
void
Search::list_steps() noexcept
{
	const Workload &workload = choice_->workload();
	int plans = 0;

	for (int i = 0; i < workload.statement_count; ++i)
		plans += workload.statements[i].graph.count();
	steps_ = surroundings_.zeroed<Step>(workload.candidate_count + plans);
	step_count_ = workload.candidate_count;
	for (int i = 0; i < step_count_; ++i)
		steps_[i] = {{i}, 1, 0, 0, {}, 0};
	for (int i = 0; i < workload.statement_count; ++i)
		for (int plan = 0; plan < workload.statements[i].graph.count(); ++plan)
			step_count_ += add_step(workload.statements[i].graph.plans()[plan], workload.statements[i]);

	Step *const together = steps_ + workload.candidate_count;
	Step *const end = steps_ + step_count_;
	std::sort(together, end, [](const Step &one, const Step &other) { return one.comes_before(other); });
	const Step *const last =
		std::unique(together, end, [](const Step &one, const Step &other) { return one.is_same(other); });
	step_count_ = static_cast<int>(last - steps_);
	heap_ = surroundings_.zeroed<Scored>(static_cast<std::size_t>(step_count_));
}

bool
Search::add_step(const BenefitGraph::Plan &plan, const Statement &statement) noexcept
{
	Step &step = steps_[step_count_];
	const int count = std::popcount(plan.used);

	if (count < 2 || count > step_limit)
		return false;
	for (Set left = plan.used; left != 0; left &= left - 1)
		step.members[step.count++] = statement.candidates[std::countr_zero(left)];
	std::sort(step.members, step.members + step.count);
	return true;
}

void
Search::flip(int candidate) noexcept
{
	surroundings_.check(surroundings_.context);
	choice_->flip(candidate);
	flipped_[flipped_count_++] = candidate;
}

// The latest trial.
void
Search::undo(const Choice::Sums &sums) noexcept
{
	while (flipped_count_ > 0)
		choice_->flip(flipped_[--flipped_count_]);
	choice_->restore(sums);
}

void
Search::weigh(Step &step) noexcept
{
	const Choice::Sums before = choice_->sums();
	const double value = choice_->value();

	flipped_count_ = 0;
	for (int i = 0; i < step.count; ++i)
		if (!choice_->has(step.members[i]))
			flip(step.members[i]);
	const Choice::Sums &after = choice_->sums();
	step.added = flipped_count_;
	step.bytes = after.bytes - before.bytes;
	step.worth = {after.saving_ms - before.saving_ms, after.write_ms - before.write_ms, choice_->value() - value};
	step.weighed = clock_ + 1;
	undo(before);
}

bool
Search::is_stale(const Step &step) const noexcept
{
	return std::any_of(step.members, step.members + step.count,
					   [&](int member) { return changed_[member] >= step.weighed; });
}

double
Search::score(const Step &step, bool by_bytes) const noexcept
{
	if (step.added == 0 || step.worth.value <= choice_->epsilon() || !choice_->would_fit(step.bytes, step.added))
		return 0;
	return step.worth.value / (by_bytes ? std::max(step.bytes, 1.0) : step.added);
}

void
Search::push(Step &step, bool by_bytes) noexcept
{
	if (is_stale(step))
		weigh(step);
	const double its_score = score(step, by_bytes);
	if (its_score > 0)
	{
		heap_[heap_count_++] = {its_score, &step};
		std::push_heap(heap_, heap_ + heap_count_);
	}
}

void
Search::take(const Step &step) noexcept
{
	++clock_;
	for (int i = 0; i < step.count; ++i)
		if (!choice_->has(step.members[i]))
		{
			choice_->flip(step.members[i]);
			note_change(step.members[i]);
		}
}

// What it is worth to have others may differ then: those of its statements and its table.
void
Search::note_change(int candidate) noexcept
{
	const Workload &workload = choice_->workload();

	for (const Choice::Use &use : choice_->uses(candidate))
	{
		const Statement &statement = workload.statements[use.statement];
		for (int i = 0; i < statement.candidate_count; ++i)
			changed_[statement.candidates[i]] = clock_;
	}
	for (const int other : choice_->of_table(workload.candidates[candidate].table))
		changed_[other] = clock_;
}

// A step is mostly worth less once others were taken: only what seems the best one is
// weighed again.  All of them are when there seems to be none.
void
Search::add_steps(bool by_bytes) noexcept
{
	std::fill_n(changed_, choice_->workload().candidate_count, ++clock_);
	do
	{
		heap_count_ = 0;
		for (Step *step = steps_; step < steps_ + step_count_; ++step)
			push(*step, by_bytes);
	} while (take_from_heap(by_bytes));
}

bool
Search::take_from_heap(bool by_bytes) noexcept
{
	bool any_taken = false;

	while (heap_count_ > 0)
	{
		Step &step = *heap_[0].step;
		std::pop_heap(heap_, heap_ + heap_count_--);
		if (is_stale(step))
			push(step, by_bytes);
		else if (choice_->would_fit(step.bytes, step.added))
		{
			take(step);
			any_taken = true;
		}
	}
	return any_taken;
}

// What each chosen one is worth beside the others; negative: one is better off without.
void
Search::measure_losses() noexcept
{
	for (int i = 0; i < choice_->workload().candidate_count; ++i)
		if (choice_->has(i))
			loss_[i] = loss_of(i);
}

double
Search::loss_of(int candidate) noexcept
{
	const Choice::Sums before = choice_->sums();
	const double value = choice_->value();

	flipped_count_ = 0;
	flip(candidate);
	const double loss = value - choice_->value();
	undo(before);
	return loss;
}

bool
Search::drop_useless() noexcept
{
	bool dropped = false;

	for (int i = 0; i < choice_->workload().candidate_count; ++i)
		if (choice_->has(i) && loss_of(i) <= choice_->epsilon())
		{
			choice_->flip(i);
			dropped = true;
		}
	return dropped;
}

} // namespace remedy::index_advice
