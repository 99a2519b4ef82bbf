// sources:

#include "check.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "observe/transaction_groups.hpp"

namespace {

using namespace remedy::observe;

constexpr unsigned group_count = 4;

struct Groups
{
	std::unique_ptr<TransactionGroup[]> all = std::make_unique<TransactionGroup[]>(group_count);
	std::uint64_t folds = 0;

	TransactionGroup &of(const GroupKey &key) { return group_for(all.get(), group_count, key, ++folds); }
	const TransactionGroup &everybody_else() const { return all[group_count - 1]; }
};

GroupKey
key_of(std::uint32_t database, std::uint32_t user, const char *application)
{
	GroupKey key = {database, user, {}};
	std::strncpy(key.application, application, sizeof(key.application) - 1);
	return key;
}

GroupCounts
some_counts(std::uint64_t factor)
{
	const auto duration = static_cast<remedy::Nanoseconds>(factor);
	return {1 * factor, 2 * factor, 3 * factor, 4 * factor, 5 * factor, 6 * duration, 7 * duration, 8 * factor};
}

std::uint64_t
sizes_in(const TransactionGroup &group)
{
	std::uint64_t sum = 0;
	for (const std::uint32_t count : group.sizes.counts)
		sum += count;
	return sum;
}

} // namespace

TEST(a_key_has_one_group)
{
	Groups groups;
	TransactionGroup &web = groups.of(key_of(1, 10, "web"));
	CHECK(web.used && web.key == key_of(1, 10, "web"));
	CHECK(&groups.of(key_of(1, 10, "web")) == &web);
}

TEST(database_user_and_application_make_the_key)
{
	Groups groups;
	const TransactionGroup *const web = &groups.of(key_of(1, 10, "web"));
	CHECK(&groups.of(key_of(2, 10, "web")) != web);
	CHECK(&groups.of(key_of(1, 11, "web")) != web);
	CHECK(!(key_of(1, 10, "web") == key_of(1, 10, "webs")));
	CHECK(key_of(1, 10, "") == key_of(1, 10, ""));
}

TEST(what_stands_behind_the_end_of_a_name_does_not_matter)
{
	GroupKey untidy = key_of(1, 10, "web");
	untidy.application[10] = 'x';
	CHECK(untidy == key_of(1, 10, "web"));
}

TEST(a_free_group_is_taken_empty)
{
	Groups groups;
	groups.all[0].counts = some_counts(9);
	groups.all[0].sizes.counts[3] = 9;
	const TransactionGroup &fresh = groups.of(key_of(1, 10, "web"));
	CHECK(&fresh == &groups.all[0]);
	CHECK(fresh.counts.transactions == 0 && sizes_in(fresh) == 0);
}

TEST(the_group_folded_longest_ago_joins_everybody_else)
{
	Groups groups;
	for (std::uint32_t user = 1; user < group_count; ++user)
		CHECK(&groups.of(key_of(1, user, "web")) == &groups.all[user - 1]);
	CHECK(!groups.everybody_else().used);

	groups.of(key_of(1, 1, "web")); // now 2 is the oldest
	groups.all[1].counts = some_counts(2);
	CHECK(&groups.of(key_of(1, 100, "web")) == &groups.all[1]);
	CHECK(groups.all[1].key == key_of(1, 100, "web") && groups.all[1].counts.transactions == 0);
	CHECK(groups.everybody_else().used && groups.everybody_else().key == GroupKey{});
	CHECK(groups.everybody_else().counts.transactions == 2);
	CHECK(&groups.of(key_of(1, 1, "web")) == &groups.all[0]);
	CHECK(&groups.of(key_of(1, 3, "web")) == &groups.all[2]);
}

TEST(everybody_else_is_added_up)
{
	Groups groups;
	for (std::uint32_t user = 1; user <= 10; ++user)
	{
		Lane lane = {};
		lane.key = key_of(1, user, "web");
		lane.add_transaction(user);
		groups.of(lane.key).fold(lane);
	}
	CHECK(groups.everybody_else().counts.transactions == 7);
	CHECK(groups.everybody_else().counts.statements_max == 7);
	CHECK(sizes_in(groups.everybody_else()) == 7);
}

TEST(counts_add_up_but_the_largest_stays)
{
	GroupCounts sum = some_counts(3);
	sum.add(some_counts(2));
	CHECK(sum.transactions == 5 && sum.statements == 10 && sum.nested == 15 && sum.failed == 20 && sum.rows == 25);
	CHECK(sum.execution == 30 && sum.waiting == 35);
	CHECK(sum.statements_max == 24);
}

TEST(a_lane_remembers_the_sizes_of_transactions)
{
	Lane lane = {};
	for (const std::uint64_t statements : {104, 1, 7})
		CHECK(lane.add_transaction(statements));
	CHECK(lane.counts.transactions == 3 && lane.counts.statements_max == 104 && lane.pending == 3);

	TransactionGroup group = {};
	group.fold(lane);
	CHECK(group.sizes.percentile(0.5) == 7);
	CHECK(group.sizes.percentile(0.0) == 1);
	CHECK(group.counts.statements_max == 104);
}

TEST(a_full_ring_loses_sizes_but_no_transaction)
{
	Lane lane = {};
	for (unsigned i = 0; i < sizes_per_lane; ++i)
		CHECK(lane.add_transaction(1));
	CHECK(!lane.add_transaction(1000));
	CHECK(!lane.add_transaction(5));
	CHECK(lane.pending == sizes_per_lane);
	CHECK(lane.counts.transactions == sizes_per_lane + 2);
	CHECK(lane.counts.statements_max == 1000);
	CHECK(std::all_of(lane.sizes, lane.sizes + sizes_per_lane, [](std::uint16_t size) { return size == 1; }));
}

TEST(an_enormous_transaction_is_counted_in_the_last_bucket)
{
	Lane lane = {};
	CHECK(lane.add_transaction(UINT64_MAX));
	TransactionGroup group = {};
	group.fold(lane);
	CHECK(group.sizes.counts[SizeHistogram::size - 1] == 1);
}

// As a backend does it: counts go to a lane, which is folded and emptied whenever its ring is full.
TEST(folding_in_portions_keeps_the_totals)
{
	std::mt19937_64 random(11);
	TransactionGroup group = {};
	Lane lane = {};
	GroupCounts expected = {};
	std::vector<std::uint64_t> sizes;

	for (int i = 0; i < 5000; ++i)
	{
		GroupCounts counts = some_counts(random() % 50);
		counts.transactions = 0;
		counts.statements_max = 0;
		const std::uint64_t statements = 1 + random() % 20;
		lane.counts.add(counts);
		expected.add(counts);
		expected.statements_max = std::max(expected.statements_max, statements);
		sizes.push_back(statements);
		CHECK(lane.add_transaction(statements));
		if (lane.pending < sizes_per_lane && random() % 100 != 0)
			continue;
		group.fold(lane);
		lane = {};
	}
	group.fold(lane);

	CHECK(group.counts.transactions == 5000 && sizes_in(group) == 5000);
	CHECK(group.counts.statements == expected.statements && group.counts.rows == expected.rows);
	CHECK(group.counts.nested == expected.nested && group.counts.failed == expected.failed);
	CHECK(group.counts.execution == expected.execution && group.counts.waiting == expected.waiting);
	CHECK(group.counts.statements_max == expected.statements_max);
	std::sort(sizes.begin(), sizes.end());
	CHECK(group.sizes.percentile(0.95) == sizes[4749]);
}
