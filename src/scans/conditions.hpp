// What one scan asks of its rows, and of each constant a hash: the same one for equal
// values, from which nobody reads the value.  Constants are no part of the predicate:
// statements that differ in nothing else are one.  No server headers.

#pragma once

#include <utility>

#include "scans/predicate.hpp"

namespace remedy::scans {

using ConstantHash = std::uint32_t;

constexpr ConstantHash unknown_constant = 0;         // or there is none
constexpr ConstantHash varied_constant = UINT32_MAX; // it was now this, now that

constexpr std::uint64_t samples_to_recur = 3;

// Of the clauses of a predicate, in their order.
struct Constants
{
	ConstantHash of[clauses_per_predicate];
	std::uint64_t samples; // they were seen in so many

	// What is known after both.
	void add(const Constants &more) noexcept
	{
		samples += more.samples;
		for (int i = 0; i < clauses_per_predicate; ++i)
			if (of[i] == unknown_constant)
				of[i] = more.of[i];
			else if (more.of[i] != unknown_constant && more.of[i] != of[i])
				of[i] = varied_constant;
	}

	// Whether it was the same one in all samples, which are enough to say so.
	bool recurs(int clause) const noexcept
	{
		return samples >= samples_to_recur && of[clause] != unknown_constant && of[clause] != varied_constant;
	}
};

struct Conditions
{
	Predicate predicate;
	Constants constants;

	void add(const Clause &clause, ConstantHash constant) noexcept
	{
		if (predicate.count < clauses_per_predicate)
			constants.of[predicate.count] = constant;
		predicate.add(clause);
	}

	// The planner orders conditions by their cost, which differs from plan to plan.  Those
	// of a group stay side by side, and so do those of an arm; equal ones stay as they are.
	void sort() noexcept
	{
		for (int last = 1; last < predicate.count; ++last)
			for (int i = last; i > 0 && comes_before(predicate.clauses[i], predicate.clauses[i - 1]); --i)
			{
				std::swap(predicate.clauses[i], predicate.clauses[i - 1]);
				std::swap(constants.of[i], constants.of[i - 1]);
			}
	}
};

} // namespace remedy::scans
