// Some of a scan's conditions.

#pragma once

#include <algorithm>

#include "index_advice/conditions.hpp"

namespace remedy::index_advice {

inline constexpr int most_conditions = 32; // more are left out

// As pointers into those of the scan.
struct Picked
{
	const Condition *items[most_conditions];
	int count;

	void add(const Condition &condition) noexcept
	{
		if (count < most_conditions)
			items[count++] = &condition;
	}
	void add(const Picked &others) noexcept
	{
		for (int i = 0; i < others.count; ++i)
			add(*others.items[i]);
	}
	bool has(const Condition *condition) const noexcept
	{
		return std::find(items, items + count, condition) != items + count;
	}
	const Condition *const *begin() const noexcept { return items; }
	const Condition *const *end() const noexcept { return items + count; }
};

inline Picked
without(const Picked &all, const Picked &left_out) noexcept
{
	Picked rest = {};

	for (const Condition *const condition : all)
		if (!left_out.has(condition))
			rest.add(*condition);
	return rest;
}

// The most selective come first; what is alike, in the order of the table.
inline Picked
most_selective(Picked conditions) noexcept
{
	std::sort(conditions.items, conditions.items + conditions.count, [](const Condition *a, const Condition *b) {
		return a->selectivity != b->selectivity           ? a->selectivity < b->selectivity
			   : a->parts[0].column != b->parts[0].column ? a->parts[0].column < b->parts[0].column
														  : a < b;
	});
	return conditions;
}

// Of the table's rows, as if the conditions had nothing to do with each other.
inline double
share_of(const Picked &conditions) noexcept
{
	double share = 1;

	for (const Condition *const condition : conditions)
		share *= condition->selectivity;
	return share;
}

} // namespace remedy::index_advice
