// A set of chosen candidates, and what it is worth.
//
// One candidate is taken in or out at a time, at the price of looking at the statements
// that could use it; so a search tries things and takes them back.

#pragma once

#include "index_advice/selection.hpp"

namespace remedy::index_advice {

class Choice
{
public:
	// Where a candidate occurs.
	struct Use
	{
		int statement;
		Set bit;
	};

	struct Uses
	{
		const Use *first;
		const Use *last;

		const Use *begin() const noexcept { return first; }
		const Use *end() const noexcept { return last; }
	};

	struct Numbers
	{
		const int *first;
		const int *last;

		const int *begin() const noexcept { return first; }
		const int *end() const noexcept { return last; }
	};

	// All that is to be undone together.
	struct Sums
	{
		double saving_ms;
		double write_ms;
		double bytes;
		double charged_bytes;
		int count;
	};

	void prepare(const Workload &workload, const Limits &limits, const Surroundings &surroundings) noexcept;

	// Takes it in or out.
	void flip(int candidate) noexcept;

	// Back to sums from before, once everything was flipped back: free of rounding.
	void restore(const Sums &sums) noexcept { sums_ = sums; }

	const Sums &sums() const noexcept { return sums_; }
	bool has(int candidate) const noexcept { return chosen_[candidate]; }

	double value() const noexcept
	{
		return sums_.saving_ms - sums_.write_ms - limits_.byte_ms * sums_.charged_bytes - least_ms_ * sums_.count;
	}

	bool would_fit(double bytes, int count) const noexcept
	{
		return (limits_.max_bytes <= 0 || sums_.bytes + bytes <= limits_.max_bytes) &&
			   (limits_.max_indexes <= 0 || sums_.count + count <= limits_.max_indexes);
	}

	bool fits() const noexcept { return would_fit(0, 0); }

	// Differences below this are rounding.
	double epsilon() const noexcept { return workload_ms_ * 1e-9; }

	double least_ms() const noexcept { return least_ms_; }
	const Workload &workload() const noexcept { return workload_; }
	const Limits &limits() const noexcept { return limits_; }

	Uses uses(int candidate) const noexcept
	{
		return {uses_ + first_use_[candidate], uses_ + first_use_[candidate + 1]};
	}
	Numbers of_table(int table) const noexcept
	{
		return {by_table_ + first_of_table_[table], by_table_ + first_of_table_[table + 1]};
	}

	Set available(int statement) const noexcept { return available_[statement]; }

	// Of a statement's time, between two costs.
	double saving_between(int statement, double from, double to) const noexcept
	{
		const double before = workload_.statements[statement].graph.cost_without();

		return before > 0 ? workload_.statements[statement].ms * (from - to) / before : 0;
	}

	bool limited() const noexcept { return limits_.max_bytes > 0 || limits_.max_indexes > 0; }

	// Whether this is enough of an improvement.
	bool improves(double before, double after) const noexcept
	{
		return after < before && after <= before * (1 - limits_.least_improvement);
	}

private:
	double saving(int statement) const noexcept;
	double table_charge(int table) const noexcept;
	void list_uses(const Surroundings &surroundings) noexcept;
	void list_tables(const Surroundings &surroundings) noexcept;

	Workload workload_;
	Limits limits_;
	double workload_ms_;
	double least_ms_;
	Sums sums_;
	bool *chosen_;
	Set *available_; // by statement
	double *saving_; // by statement
	double *charge_; // by table
	int *first_use_; // by candidate
	Use *uses_;
	int *first_of_table_; // by table
	int *by_table_;       // candidates
};

} // namespace remedy::index_advice
