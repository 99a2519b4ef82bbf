// sources:

#include "check.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

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
		groups.of(key_of(1, user, "web")).add_transactions(1, user);
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
}

TEST(a_group_knows_the_sizes_of_its_transactions)
{
	Groups groups;
	TransactionGroup &group = groups.of(key_of(1, 10, "web"));
	group.add_transactions(1, 104);
	group.add_transactions(3, 1);
	group.add_transactions(0, 500);
	CHECK(group.counts.transactions == 4 && group.statements_max == 104 && sizes_in(group) == 4);
	CHECK(group.sizes.percentile(0.75) == 1);
	group.add_transactions(1, UINT64_MAX);
	CHECK(group.sizes.counts[SizeHistogram::size - 1] == 1);
}
