// Of the search: candidates that take the place of chosen ones.

#include "index_advice/search.hpp"

#include <algorithm>

namespace remedy::index_advice {

// Those of the table that are not worth it beside the candidate, worst first.
void
Search::drop_rivals(int candidate) noexcept
{
	for (;;)
	{
		int worst = -1;
		double worst_value = choice_->value();

		for (const int other : choice_->of_table(choice_->workload().candidates[candidate].table))
		{
			if (other == candidate || !choice_->has(other))
				continue;
			const Choice::Sums before = choice_->sums();
			choice_->flip(other);
			if (choice_->value() >= worst_value)
			{
				worst = other;
				worst_value = choice_->value();
			}
			choice_->flip(other);
			choice_->restore(before);
		}
		if (worst < 0)
			return;
		flip(worst);
	}
}

// Drops what was worth least for the room it takes, as of the latest measurement.
void
Search::make_fit(int candidate) noexcept
{
	const Workload &workload = choice_->workload();
	const bool by_bytes = choice_->limits().max_bytes > 0;

	while (!choice_->fits())
	{
		int worst = -1;
		double worst_score = 0;

		for (int i = 0; i < workload.candidate_count; ++i)
		{
			if (i == candidate || !choice_->has(i))
				continue;
			const double score = loss_[i] / (by_bytes ? std::max(workload.candidates[i].bytes, 1.0) : 1);
			if (worst < 0 || score < worst_score)
			{
				worst = i;
				worst_score = score;
			}
		}
		if (worst < 0)
			return;
		flip(worst);
	}
}

bool
Search::exchange_for(int candidate) noexcept
{
	const Choice::Sums before = choice_->sums();
	const double value = choice_->value();

	flipped_count_ = 0;
	flip(candidate);
	drop_rivals(candidate);
	make_fit(candidate);
	if (choice_->fits() && choice_->value() > value + choice_->epsilon())
		return true;
	undo(before);
	return false;
}

bool
Search::exchange_all() noexcept
{
	bool exchanged = false;

	if (choice_->limited())
		measure_losses();
	for (int i = 0; i < choice_->workload().candidate_count; ++i)
		if (!choice_->has(i) && exchange_for(i))
		{
			exchanged = true;
			if (choice_->limited())
				measure_losses();
		}
	return exchanged;
}

// An exchange may make room for more, and more may make exchanges worth it.
void
Search::run(bool by_bytes) noexcept
{
	constexpr int rounds = 6;

	for (int round = 0; round < rounds; ++round)
	{
		add_steps(by_bytes);
		drop_useless();
		if (!exchange_all())
			return;
	}
	drop_useless();
}

void
Search::rate(Worth *worths) noexcept
{
	std::fill_n(worths, choice_->workload().candidate_count, Worth{});
	for (Step *step = steps_; step < steps_ + step_count_; ++step)
	{
		weigh(*step);
		for (int i = 0; i < step->count; ++i)
		{
			Worth &worth = worths[step->members[i]];
			const double share = 1.0 / std::max(step->added, 1);
			if (step < steps_ + choice_->workload().candidate_count || step->worth.value * share > worth.value)
				worth = {step->worth.saving_ms * share, step->worth.write_ms * share, step->worth.value * share};
		}
	}
}

} // namespace remedy::index_advice
