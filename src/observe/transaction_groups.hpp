// Statements per transaction, by database, user, application and route: the layout
// of the memory and the arithmetic on it.  No server headers.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "observe/clock.hpp"
#include "observe/histogram.hpp"

namespace remedy::observe {

constexpr unsigned application_bytes = 64; // the server's own limit for application_name
constexpr unsigned route_bytes = 64;

using SizeHistogram = Histogram<31>; // statements in one transaction, up to 2^31

struct GroupKey
{
	std::uint32_t database;
	std::uint32_t user; // 0: the group of everybody else
	char application[application_bytes];
	char route[route_bytes]; // empty: none

	bool operator==(const GroupKey &other) const noexcept
	{
		return database == other.database && user == other.user && std::strcmp(application, other.application) == 0 &&
			   std::strcmp(route, other.route) == 0;
	}
};

struct GroupCounts
{
	std::uint64_t transactions;
	std::uint64_t statements;
	std::uint64_t nested;
	std::uint64_t failed;
	std::uint64_t rows;
	Nanoseconds execution;
	Nanoseconds waiting;

	void add(const GroupCounts &other) noexcept
	{
		transactions += other.transactions;
		statements += other.statements;
		nested += other.nested;
		failed += other.failed;
		rows += other.rows;
		execution += other.execution;
		waiting += other.waiting;
	}
};

struct TransactionGroup
{
	bool used;
	std::uint64_t last_fold; // when it was folded last, as a count of folds
	GroupKey key;
	GroupCounts counts;
	std::uint64_t statements_max;
	SizeHistogram sizes;

	// So many of this size.
	void add_transactions(std::uint32_t transactions, std::uint64_t statements) noexcept
	{
		if (transactions == 0)
			return;
		counts.transactions += transactions;
		statements_max = std::max(statements_max, statements);
		sizes.add_to_bucket(SizeHistogram::bucket(statements), transactions);
	}
};

// The group of a key among count groups.  If there is none yet it takes a free place,
// or that of the group that was folded longest ago, whose counts join the last one,
// kept for everybody else: names that change with each process must not keep all
// others out.
inline TransactionGroup &
group_for(TransactionGroup *groups, unsigned count, const GroupKey &key, std::uint64_t fold) noexcept
{
	TransactionGroup *place = groups;

	for (unsigned i = 0; i + 1 < count; ++i)
	{
		TransactionGroup &group = groups[i];
		if (group.used && group.key == key)
		{
			group.last_fold = fold;
			return group;
		}
		if (place->used && (!group.used || group.last_fold < place->last_fold))
			place = &group;
	}
	if (place->used)
	{
		TransactionGroup &others = groups[count - 1];
		others.used = true;
		others.counts.add(place->counts);
		others.statements_max = std::max(others.statements_max, place->statements_max);
		others.sizes.add(place->sizes);
	}
	*place = {};
	place->used = true;
	place->last_fold = fold;
	place->key = key;
	return *place;
}

} // namespace remedy::observe
