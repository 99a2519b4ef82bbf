// The search for the best choice: greedy steps, then repeated improvement.

#pragma once

#include <algorithm>

#include "index_advice/choice.hpp"

namespace remedy::index_advice {

class Search
{
public:
	// What a candidate would add to a choice, its share of what those do it works best with.
	struct Worth
	{
		double saving_ms;
		double write_ms;
		double value; // less other charges
	};

	void prepare(Choice &choice, const Surroundings &surroundings) noexcept;

	// Goes on from what is chosen; by bytes: prefers what is worth most for its size.
	void run(bool by_bytes) noexcept;

	// By candidate, of those that are not chosen.
	void rate(Worth *worths) noexcept;

private:
	static constexpr int step_limit = 4;

	// Candidates that come together.
	struct Step
	{
		int members[step_limit];
		int count;
		int added; // those that are not chosen
		double bytes;
		Worth worth; // of all
		int weighed; // when

		bool is_same(const Step &other) const noexcept
		{
			return std::equal(members, members + count, other.members, other.members + other.count);
		}

		bool comes_before(const Step &other) const noexcept
		{
			return std::lexicographical_compare(members, members + count, other.members, other.members + other.count);
		}
	};

	// The first of equal ones is the greatest.
	struct Scored
	{
		double score;
		Step *step;

		bool operator<(const Scored &other) const noexcept
		{
			return score < other.score || (score == other.score && step > other.step);
		}
	};

	void list_steps() noexcept;
	bool add_step(const BenefitGraph::Plan &plan, const Statement &statement) noexcept;

	void flip(int candidate) noexcept;
	void undo(const Choice::Sums &sums) noexcept;
	void weigh(Step &step) noexcept;
	bool is_stale(const Step &step) const noexcept;
	double score(const Step &step, bool by_bytes) const noexcept;
	void push(Step &step, bool by_bytes) noexcept;
	bool take_from_heap(bool by_bytes) noexcept;
	void take(const Step &step) noexcept;
	void note_change(int candidate) noexcept;
	void add_steps(bool by_bytes) noexcept;

	double loss_of(int candidate) noexcept;
	void measure_losses() noexcept;
	bool drop_useless() noexcept;
	void drop_rivals(int candidate) noexcept;
	void make_fit(int candidate) noexcept;
	bool exchange_for(int candidate) noexcept;
	bool exchange_all() noexcept;

	Choice *choice_;
	Surroundings surroundings_;
	Step *steps_;
	int step_count_;
	Scored *heap_;
	int heap_count_;
	int *changed_; // by candidate: when what it is worth may have
	int clock_;
	double *loss_; // by candidate, of a chosen one: what it is worth
	int *flipped_; // since a trial began
	int flipped_count_;
};

} // namespace remedy::index_advice
