// sources:

#include "check.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
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
	void fold(const TransactionSlot &slot) { fold_transactions(all.get(), group_count, slot, ++folds); }
	const TransactionGroup &everybody_else() const { return all[group_count - 1]; }
};

GroupKey
key_of(std::uint32_t database, std::uint32_t user, const char *application)
{
	GroupKey key = {database, user, {}, {}};
	std::strncpy(key.application, application, sizeof(key.application) - 1);
	return key;
}

GroupCounts
some_counts(std::uint64_t factor)
{
	const auto duration = static_cast<remedy::Nanoseconds>(factor);
	return {1 * factor, 2 * factor, 3 * factor, 4 * factor, 5 * factor, 6 * duration, 7 * duration};
}

// A backend that works for one group, after transactions of these sizes.
std::unique_ptr<TransactionSlot>
slot_of(const GroupKey &key, const std::vector<std::uint64_t> &sizes)
{
	auto slot = std::make_unique<TransactionSlot>();
	slot->lanes[0].used = true;
	slot->lanes[0].since = 1;
	slot->lanes[0].key = key;
	for (const std::uint64_t statements : sizes)
		slot->add_transaction(0, statements);
	return slot;
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
		groups.fold(*slot_of(key_of(1, user, "web"), {user}));
	CHECK(groups.everybody_else().counts.transactions == 7);
	CHECK(groups.everybody_else().statements_max == 7);
	CHECK(sizes_in(groups.everybody_else()) == 7);
}

TEST(the_route_makes_a_group_of_its_own)
{
	Groups groups;
	GroupKey home = key_of(1, 10, "web");
	std::strcpy(home.route, "/home");
	CHECK(&groups.of(home) != &groups.of(key_of(1, 10, "web")));
}

TEST(counts_add_up)
{
	GroupCounts sum = some_counts(3);
	sum.add(some_counts(2));
	CHECK(sum.transactions == 5 && sum.statements == 10 && sum.nested == 15 && sum.failed == 20 && sum.rows == 25);
	CHECK(sum.execution == 30 && sum.waiting == 35);
	sum.subtract(some_counts(2));
	CHECK(sum.transactions == 3 && sum.statements == 6 && sum.nested == 9 && sum.failed == 12 && sum.rows == 15);
	CHECK(sum.execution == 18 && sum.waiting == 21);
}

TEST(a_slot_remembers_the_sizes_of_transactions)
{
	Groups groups;
	groups.fold(*slot_of(key_of(1, 10, "web"), {104, 1, 7}));
	const TransactionGroup &group = groups.of(key_of(1, 10, "web"));
	CHECK(group.counts.transactions == 3 && group.statements_max == 104);
	CHECK(group.sizes.percentile(0.5) == 7);
	CHECK(group.sizes.percentile(0.0) == 1);
}

TEST(transactions_of_one_statement_take_no_place_in_the_ring)
{
	const auto slot = slot_of(key_of(1, 10, "web"), {1, 1, 1});
	CHECK(slot->pending == 0 && slot->lanes[0].singles == 3);
	Groups groups;
	groups.fold(*slot);
	CHECK(groups.of(key_of(1, 10, "web")).sizes.counts[1] == 3);
}

TEST(a_full_ring_loses_sizes_but_no_transaction)
{
	const auto slot = slot_of(key_of(1, 10, "web"), std::vector<std::uint64_t>(TransactionSlot::ring_size, 2));
	slot->add_transaction(0, 1000);
	slot->add_transaction(0, 5);
	CHECK(slot->pending == TransactionSlot::ring_size && slot->missed == 2);
	CHECK(slot->lanes[0].counts.transactions == TransactionSlot::ring_size + 2);
	CHECK(slot->lanes[0].statements_max == 1000);
}

TEST(an_enormous_transaction_is_counted_in_the_last_bucket)
{
	Groups groups;
	groups.fold(*slot_of(key_of(1, 10, "web"), {UINT64_MAX}));
	CHECK(groups.of(key_of(1, 10, "web")).sizes.counts[SizeHistogram::size - 1] == 1);
}

TEST(emptied_lanes_keep_their_groups_if_wanted)
{
	const auto slot = slot_of(key_of(1, 10, "web"), {3});
	slot->empty(true, 77);
	CHECK(slot->lanes[0].used && slot->lanes[0].key == key_of(1, 10, "web"));
	CHECK(slot->pending == 0 && slot->lanes[0].counts.transactions == 0 && slot->lanes[0].since == 77);
	slot->empty(false, 78);
	CHECK(!slot->lanes[0].used);
}

// A reset takes away what a slot holds; when the slot is folded later, nothing is left of it.
TEST(a_reset_group_starts_again_at_zero)
{
	Groups groups;
	const GroupKey key = key_of(1, 10, "web");
	const auto slot = slot_of(key, {9, 1, 1});
	slot->lanes[0].since = 5;
	subtract_transactions(groups.all.get(), group_count, *slot, ++groups.folds, 10,
						  [&](const GroupKey &other) { return other == key; });
	CHECK(groups.of(key).counts.transactions == std::uint64_t(0) - 3);
	slot->add_transaction(0, 4);
	groups.fold(*slot);
	CHECK(groups.of(key).counts.transactions == 1 && sizes_in(groups.of(key)) == 1);
	CHECK(groups.of(key).sizes.percentile(1.0) == 4);
	CHECK(groups.of(key).statements_max == 0); // the slot's may be from before
	slot->empty(true, 11);
	slot->add_transaction(0, 2);
	groups.fold(*slot);
	CHECK(groups.of(key).statements_max == 2);
}
