// Statements per transaction, by database, user and application: the layout of
// the memory and the arithmetic on it.  No server headers.
//
// A backend counts into lanes, one per group it works for (a pooler alternates
// between applications).  The sizes of ended transactions wait in the lane's ring,
// as histogram buckets, until the lane is folded into the store's group.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "observe/clock.hpp"
#include "observe/histogram.hpp"
#include "observe/single_writer.hpp"

namespace remedy::observe {

constexpr unsigned application_bytes = 64; // the server's own limit for application_name
constexpr unsigned lanes_per_backend = 4;
constexpr unsigned sizes_per_lane = 64;

using SizeHistogram = Histogram<31>; // statements in one transaction, up to 2^31

struct GroupKey
{
	std::uint32_t database;
	std::uint32_t user;
	char application[application_bytes];

	bool operator==(const GroupKey &other) const noexcept
	{
		return database == other.database && user == other.user && std::strcmp(application, other.application) == 0;
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
	std::uint64_t statements_max;

	void add(const GroupCounts &other) noexcept
	{
		transactions += other.transactions;
		statements += other.statements;
		nested += other.nested;
		failed += other.failed;
		rows += other.rows;
		execution += other.execution;
		waiting += other.waiting;
		statements_max = std::max(statements_max, other.statements_max);
	}
};

struct Lane
{
	bool used;
	std::uint8_t pending; // sizes in the ring
	std::uint16_t sizes[sizes_per_lane];
	GroupKey key;
	GroupCounts counts;

	// False when the ring was full: the size is missing from the percentiles.
	bool add_transaction(std::uint64_t statements) noexcept
	{
		++counts.transactions;
		counts.statements_max = std::max(counts.statements_max, statements);
		if (pending == sizes_per_lane)
			return false;
		sizes[pending++] = static_cast<std::uint16_t>(SizeHistogram::bucket(statements));
		return true;
	}
};

static_assert(SizeHistogram::size <= UINT16_MAX);

// What one backend alone writes.
struct BackendCounts
{
	bool attached;
	std::uint32_t sizes_missed; // rings that were full while the store was busy
	std::uint64_t generation;   // counts of another generation than the store's are void
	Lane lanes[lanes_per_backend];
};

struct TransactionGroup
{
	bool used;
	std::uint64_t last_fold; // when it was folded last, as a count of folds
	GroupKey key;
	GroupCounts counts;
	SizeHistogram sizes;

	void fold(const Lane &lane) noexcept
	{
		counts.add(lane.counts);
		for (unsigned i = 0; i < lane.pending; ++i)
			sizes.add_to_bucket(lane.sizes[i]);
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
		others.sizes.add(place->sizes);
	}
	*place = {};
	place->used = true;
	place->last_fold = fold;
	place->key = key;
	return *place;
}

} // namespace remedy::observe
