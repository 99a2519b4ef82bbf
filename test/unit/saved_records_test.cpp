// sources:

#include "check.hpp"

#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

#include "observe/saved_records.hpp"
#include "observe/statement_store.hpp"

namespace {

using namespace remedy::observe;

using Buckets = std::vector<SavedBucket>;

bool
reads(const Buckets &buckets, TimeHistogram &histogram, std::size_t missing = 0)
{
	const auto *const bytes = reinterpret_cast<const char *>(buckets.data());
	return read_buckets(bytes, buckets.size() * sizeof(SavedBucket) - missing, histogram);
}

bool
reads(const Buckets &buckets)
{
	TimeHistogram histogram;
	return reads(buckets, histogram);
}

StatementCounts
some_counts()
{
	return {5, 2, 100, 1000, 10, 700, 11, 12};
}

SavedGroup
some_group()
{
	SavedGroup group = {};
	group.counts.statements = 7;
	std::strcpy(group.key.application, "psql");
	return group;
}

SavedText
some_text()
{
	SavedText text = {};
	text.fingerprint = 1;
	text.parameter_count = types_unknown;
	return text;
}

// A store with room for so many statements.
struct Table
{
	std::unique_ptr<std::uint64_t[]> memory;
	StatementStore *store;

	explicit Table(unsigned capacity)
		: memory(std::make_unique<std::uint64_t[]>(StatementStore::bytes(capacity) / 8 + 1)),
		  store(reinterpret_cast<StatementStore *>(memory.get()))
	{
		store->initialise(capacity);
	}
};

StatementKey
key_of(std::uint64_t fingerprint)
{
	return {fingerprint, 1, 10, 0, 0};
}

} // namespace

TEST(a_histogram_comes_back)
{
	auto record = std::make_unique<WithBuckets<SavedStatement, TimeHistogram>>();
	TimeHistogram before = {}, after;

	before.add_to_bucket(0, 3);
	before.add_to_bucket(100);
	before.add_to_bucket(TimeHistogram::size - 1, TimeHistogram::most - 1);
	const std::size_t bytes = record->pack(before);
	CHECK(bytes == sizeof(SavedStatement) + 3 * sizeof(SavedBucket));
	CHECK(read_buckets(reinterpret_cast<const char *>(record.get()) + sizeof(SavedStatement),
					   bytes - sizeof(SavedStatement), after));
	CHECK(std::memcmp(&before, &after, sizeof(before)) == 0);
}

TEST(a_full_histogram_has_room)
{
	auto record = std::make_unique<WithBuckets<SavedStatement, TimeHistogram>>();
	TimeHistogram before = {}, after;

	for (unsigned i = 0; i < TimeHistogram::size; ++i)
		before.add_to_bucket(i, i + 1);
	CHECK(record->pack(before) == sizeof(*record));
	CHECK(read_buckets(reinterpret_cast<const char *>(record->buckets), sizeof(record->buckets), after));
	CHECK(std::memcmp(&before, &after, sizeof(before)) == 0);
}

TEST(an_empty_histogram_replaces_what_was_there)
{
	TimeHistogram histogram = {};

	histogram.add_to_bucket(3, 2);
	CHECK(reads({}, histogram));
	CHECK(histogram.counts[3] == 0);
}

TEST(buckets_that_are_none)
{
	TimeHistogram histogram;

	CHECK(reads({{0, 1}, {1, 1}}));
	CHECK(reads({{TimeHistogram::size - 1, 1}}));
	CHECK(!reads({{TimeHistogram::size, 1}}));
	CHECK(!reads({{UINT32_MAX, 1}}));
	CHECK(!reads({{1, 1}, {1, 1}}));
	CHECK(!reads({{1, 1}, {0, 1}}));
	CHECK(!reads({{1, 0}}));
	CHECK(!reads({{1, TimeHistogram::most}}));
	CHECK(!reads({{1, 1}, {2, 1}}, histogram, 1));
	CHECK(!reads({{1, 1}, {2, 1}}, histogram, 7));
}

TEST(a_head_needs_all_its_bytes)
{
	SavedStatement head, read;
	const char *const bytes = reinterpret_cast<const char *>(&head);

	std::memset(static_cast<void *>(&head), 1, sizeof(head));
	CHECK(read_head(bytes, sizeof(head), read) && read.counts.calls == head.counts.calls);
	CHECK(!read_head(bytes, sizeof(head) - 1, read));
	CHECK(!read_head(bytes, 0, read));
}

TEST(counts_that_make_sense)
{
	StatementCounts counts = some_counts();
	const auto with = [](auto StatementCounts::*number, auto value) {
		StatementCounts changed = some_counts();
		changed.*number = value;
		return makes_sense(changed);
	};

	CHECK(makes_sense(counts));
	counts.clear();
	counts.calls = 1;
	counts.first = counts.last = 1;
	CHECK(makes_sense(counts)); // without extremes
	CHECK(!with(&StatementCounts::calls, 0));
	CHECK(!with(&StatementCounts::calls, UINT64_MAX));
	CHECK(!with(&StatementCounts::failed, 6));
	CHECK(!with(&StatementCounts::rows, UINT64_MAX));
	CHECK(!with(&StatementCounts::total, -1));
	CHECK(!with(&StatementCounts::min, -1));
	CHECK(!with(&StatementCounts::max, -1));
	CHECK(!with(&StatementCounts::first, -1));
	CHECK(with(&StatementCounts::first, 0)); // of the overflow, as it may be
	CHECK(!with(&StatementCounts::first, 13));
}

TEST(statements_that_make_sense)
{
	SavedStatement statement = {};

	statement.counts = some_counts();
	CHECK(makes_sense(statement));
	statement.key.nested = 1;
	CHECK(makes_sense(statement));
	statement.key.nested = 2;
	CHECK(!makes_sense(statement));
}

TEST(groups_that_make_sense)
{
	SavedGroup group = some_group();

	CHECK(makes_sense(group));
	std::memset(group.key.application, 'a', application_bytes - 1);
	CHECK(makes_sense(group));
	group.key.application[application_bytes - 1] = 'a';
	CHECK(!makes_sense(group));
	group = some_group();
	std::memset(group.key.route, 'a', route_bytes);
	CHECK(!makes_sense(group));
	group = some_group();
	group.statements_max = UINT64_MAX;
	CHECK(!makes_sense(group));
	group = some_group();
	group.counts.statements = 0;
	CHECK(!makes_sense(group));
	for (auto number : {&GroupCounts::transactions, &GroupCounts::statements, &GroupCounts::nested,
						&GroupCounts::failed, &GroupCounts::rows})
	{
		group = some_group();
		group.counts.*number = UINT64_MAX;
		CHECK(!makes_sense(group));
	}
	for (auto number : {&GroupCounts::execution, &GroupCounts::waiting})
	{
		group = some_group();
		group.counts.*number = -1;
		CHECK(!makes_sense(group));
	}
}

TEST(texts_that_make_sense)
{
	SavedText text = some_text();

	CHECK(makes_sense(text, "abc", 3));
	CHECK(!makes_sense(text, "", 0));
	CHECK(!makes_sense(text, "a\0c", 3));
	text.parameter_count = parameter_types_kept;
	CHECK(makes_sense(text, "abc", 3));
	text.parameter_count = parameter_types_kept + 1;
	CHECK(!makes_sense(text, "abc", 3));
	text = some_text();
	text.fingerprint = 0;
	CHECK(!makes_sense(text, "abc", 3));
}

TEST(what_lies_behind_a_name_is_not_saved)
{
	GroupKey key = {};

	std::strcpy(key.application, "a secretive name");
	std::strcpy(key.application, "a");
	std::strcpy(key.route, "/a/secretive/route");
	std::strcpy(key.route, "/a");
	const GroupKey copy = clean_copy(key);
	const GroupKey expected = {0, 0, "a", "/a"};
	CHECK(std::memcmp(&copy, &expected, sizeof(copy)) == 0);
	std::memset(key.application, 'x', application_bytes);
	CHECK(clean_copy(key).application[application_bytes - 1] == '\0');
}

TEST(a_full_table_comes_back_whole)
{
	const Table before(200), after(200);

	for (std::uint64_t i = 1; i <= 2000; ++i)
		before.store->claim(key_of(i * 0x9e3779b97f4a7c15), 1);
	CHECK(before.store->used() == 200);
	for (std::uint32_t i = 0; i < before.store->size(); ++i)
		CHECK(after.store->claim_again(before.store->key(i), 5, i) == i);
	CHECK(after.store->used() == 200 && after.store->evicted() == 0);
	for (std::uint32_t i = 0; i < before.store->size(); ++i)
		CHECK(after.store->find(before.store->key(i)) == i && (*after.store)[i].counts.first == 5);
}

TEST(an_index_that_is_no_place_of_the_statement)
{
	const Table table(200);
	const StatementKey key = key_of(77);
	unsigned places = 0;

	for (const std::uint32_t index : {200u, 1000u, UINT32_MAX})
	{
		const std::uint32_t claimed = table.store->claim_again(key, 1, index);
		CHECK(claimed < 200 && table.store->find(key) == claimed);
		table.store->remove(claimed);
	}
	for (std::uint32_t index = 0; index < 200; ++index)
	{
		const std::uint32_t claimed = table.store->claim_again(key, 1, index);
		CHECK(table.store->find(key) == claimed && table.store->used() == 1);
		places += claimed == index;
		table.store->remove(claimed);
	}
	CHECK(places <= 2 * StatementStore::ways);
}

TEST(a_place_that_is_taken)
{
	const Table table(8);

	const std::uint32_t first = table.store->claim_again(key_of(1), 1, 3);
	const std::uint32_t second = table.store->claim_again(key_of(2), 1, 3);
	CHECK(first == 3 && second != 3 && table.store->used() == 2);
	CHECK(table.store->claim_again(key_of(1), 1, 5) == 3 && table.store->used() == 2);
}
