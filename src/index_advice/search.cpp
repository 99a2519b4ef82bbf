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
	stale_ = surroundings.zeroed<bool>(candidates);
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
		steps_[i] = {{i}, 1, 0, 0, {}};
	for (int i = 0; i < workload.statement_count; ++i)
		for (int plan = 0; plan < workload.statements[i].graph.count(); ++plan)
			step_count_ += add_step(workload.statements[i].graph.plans()[plan], workload.statements[i]);

	Step *const together = steps_ + workload.candidate_count;
	Step *const end = steps_ + step_count_;
	std::sort(together, end, [](const Step &one, const Step &other) { return one.comes_before(other); });
	const Step *const last =
		std::unique(together, end, [](const Step &one, const Step &other) { return one.is_same(other); });
	step_count_ = static_cast<int>(last - steps_);
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
	undo(before);
}

// What it is worth to have others may differ now: those of its statements and its table.
void
Search::make_stale(int candidate) noexcept
{
	const Workload &workload = choice_->workload();

	for (const Choice::Use &use : choice_->uses(candidate))
	{
		const Statement &statement = workload.statements[use.statement];
		for (int i = 0; i < statement.candidate_count; ++i)
			stale_[statement.candidates[i]] = true;
	}
	for (const int other : choice_->of_table(workload.candidates[candidate].table))
		stale_[other] = true;
}

void
Search::weigh_stale_steps() noexcept
{
	for (Step *step = steps_; step < steps_ + step_count_; ++step)
		if (std::any_of(step->members, step->members + step->count, [this](int member) { return stale_[member]; }))
			weigh(*step);
	std::fill_n(stale_, choice_->workload().candidate_count, false);
}

const Search::Step *
Search::best_step(bool by_bytes) const noexcept
{
	const Step *best = nullptr;
	double best_score = 0;

	for (const Step *step = steps_; step < steps_ + step_count_; ++step)
	{
		if (step->added == 0 || step->worth.value <= choice_->epsilon() ||
			!choice_->would_fit(step->bytes, step->added))
			continue;
		const double score = step->worth.value / (by_bytes ? std::max(step->bytes, 1.0) : step->added);
		if (score > best_score)
		{
			best = step;
			best_score = score;
		}
	}
	return best;
}

void
Search::add_steps(bool by_bytes) noexcept
{
	std::fill_n(stale_, choice_->workload().candidate_count, true);
	weigh_stale_steps();
	while (const Step *const best = best_step(by_bytes))
	{
		const Step step = *best;
		for (int i = 0; i < step.count; ++i)
			if (!choice_->has(step.members[i]))
			{
				choice_->flip(step.members[i]);
				make_stale(step.members[i]);
			}
		weigh_stale_steps();
	}
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
