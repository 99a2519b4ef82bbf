// Statements per transaction, by database, user, application and route: the layout
// of the memory and the arithmetic on it.  No server headers.
//
// A backend counts into lanes, one per group it works for (a pooler alternates
// between applications, an application between routes).  The sizes of ended
// transactions wait in a ring, as histogram buckets, until the lanes are folded into
// the store's groups.

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

// Numbers wrap, on purpose: a reset subtracts what other backends still hold.
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

	void subtract(const GroupCounts &other) noexcept
	{
		transactions -= other.transactions;
		statements -= other.statements;
		nested -= other.nested;
		failed -= other.failed;
		rows -= other.rows;
		execution -= other.execution;
		waiting -= other.waiting;
	}
};

struct Lane
{
	bool used;
	std::uint32_t singles; // transactions of one statement, which need no place in the ring
	GroupKey key;
	GroupCounts counts;
	std::uint64_t statements_max;
	Nanoseconds since; // when it was taken or folded last
};

struct TransactionSlot
{
	static constexpr unsigned lane_count = 8;
	static constexpr unsigned ring_size = 2048;
	static constexpr unsigned bucket_bits = 12;

	std::uint32_t pending; // in the ring
	std::uint32_t missed;  // transactions whose size found no room in the ring
	Lane lanes[lane_count];
	std::uint16_t ring[ring_size];

	// The counts are somewhere else now.
	void empty(bool keep_lanes, Nanoseconds now) noexcept
	{
		pending = 0;
		missed = 0;
		for (Lane &lane : lanes)
		{
			lane.used = lane.used && keep_lanes;
			lane.singles = 0;
			lane.counts = {};
			lane.statements_max = 0;
			lane.since = now;
		}
	}

	void add_transaction(unsigned number, std::uint64_t statements) noexcept
	{
		Lane &lane = lanes[number];
		++lane.counts.transactions;
		if (statements > lane.statements_max)
			lane.statements_max = statements;
		if (statements == 1)
		{
			++lane.singles;
			return;
		}
		if (pending < ring_size)
			ring[pending++] = static_cast<std::uint16_t>(number << bucket_bits | SizeHistogram::bucket(statements));
		else
			++missed;
	}
};

static_assert(SizeHistogram::size <= 1u << TransactionSlot::bucket_bits);
static_assert(TransactionSlot::lane_count << TransactionSlot::bucket_bits <= 1u << 16);

inline unsigned
lane_of(std::uint16_t in_ring) noexcept
{
	return in_ring >> TransactionSlot::bucket_bits;
}

inline unsigned
size_in(std::uint16_t in_ring) noexcept
{
	return in_ring & ((1u << TransactionSlot::bucket_bits) - 1);
}

struct TransactionGroup
{
	bool used;
	std::uint64_t last_fold; // when it was folded last, as a count of folds
	GroupKey key;
	GroupCounts counts;
	std::uint64_t statements_max;
	Nanoseconds reset_at; // by the monotonic clock; maxima that slots hold from before do not count
	SizeHistogram sizes;
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

// Adds what a slot holds to its groups.
inline void
fold_transactions(TransactionGroup *groups, unsigned count, const TransactionSlot &slot, std::uint64_t fold) noexcept
{
	TransactionGroup *targets[TransactionSlot::lane_count] = {};

	for (unsigned i = 0; i < TransactionSlot::lane_count; ++i)
	{
		const Lane &lane = slot.lanes[i];
		if (!lane.used)
			continue;
		targets[i] = &group_for(groups, count, lane.key, fold);
		targets[i]->counts.add(lane.counts);
		targets[i]->sizes.add_to_bucket(1, lane.singles);
		if (lane.since > targets[i]->reset_at)
			targets[i]->statements_max = std::max(targets[i]->statements_max, lane.statements_max);
	}
	for (unsigned i = 0; i < slot.pending; ++i)
		targets[lane_of(slot.ring[i])]->sizes.add_to_bucket(size_in(slot.ring[i]));
}

// Takes what a slot holds of the groups that match away from them, which makes them
// start again at 0 although nobody writes the slot.
template <class Matches>
void
subtract_transactions(TransactionGroup *groups, unsigned count, const TransactionSlot &slot, std::uint64_t fold,
					  Nanoseconds now, Matches &&matches) noexcept
{
	for (unsigned i = 0; i < TransactionSlot::lane_count; ++i)
	{
		const Lane &lane = slot.lanes[i];
		if (!lane.used || !matches(lane.key))
			continue;
		TransactionGroup &group = group_for(groups, count, lane.key, fold);
		group.counts.subtract(lane.counts);
		group.sizes.subtract_from_bucket(1, lane.singles);
		group.reset_at = now;
		for (unsigned item = 0; item < slot.pending; ++item)
			if (lane_of(slot.ring[item]) == i)
				group.sizes.subtract_from_bucket(size_in(slot.ring[item]));
	}
}

} // namespace remedy::observe
