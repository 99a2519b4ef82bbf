// sources:

#include "check.hpp"

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <tuple>

#include "observe/statement_store.hpp"

namespace {

using namespace remedy::observe;
using remedy::Nanoseconds;

struct Free
{
	void operator()(StatementStore *store) const { std::free(store); }
};

std::unique_ptr<StatementStore, Free>
store_of(unsigned capacity)
{
	auto *const store = static_cast<StatementStore *>(std::calloc(1, StatementStore::bytes(capacity)));
	store->initialise(capacity);
	return std::unique_ptr<StatementStore, Free>(store);
}

StatementKey
key_of(std::uint64_t fingerprint, std::uint32_t user = 10, std::uint32_t database = 1)
{
	return {fingerprint, database, user, 0, 0};
}

// One call of a statement, as a fold adds it.
void
call(StatementStore &store, const StatementKey &key, std::uint64_t rows, Nanoseconds execution)
{
	const std::uint32_t index = store.claim(key, 1);
	StoredStatement &statement = store[index];
	statement.counts.add({1, rows % 5 == 0, rows, execution, execution, execution, 1, 2});
	statement.times.add_to_bucket(time_bucket(execution));
	store.used_again(index, 1);
}

std::uint64_t
times_in(const StoredStatement &statement)
{
	std::uint64_t sum = 0;
	for (const std::uint32_t count : statement.times.counts)
		sum += count;
	return sum;
}

// What everything in the store adds up to.
StatementCounts
sum_of(StatementStore &store, std::uint64_t &times)
{
	StatementCounts sum = store.overflow().counts;
	times = times_in(store.overflow());
	for (std::uint32_t i = 0; i < store.size(); ++i)
		if (store.is_used(i))
		{
			sum.add(store[i].counts);
			times += times_in(store[i]);
		}
	return sum;
}

} // namespace

TEST(a_claimed_key_is_found_with_its_first_moment)
{
	const auto store = store_of(64);
	CHECK(store->find(key_of(1)) == StatementStore::none && store->used() == 0);
	const std::uint32_t index = store->claim(key_of(1), 500);
	CHECK(store->find(key_of(1)) == index && store->claim(key_of(1), 900) == index);
	CHECK(store->used() == 1 && store->is_used(index) && store->key(index) == key_of(1));
	CHECK((*store)[index].counts.first == 500 && (*store)[index].counts.calls == 0);
	CHECK(store->find(key_of(1, 11)) == StatementStore::none && store->find(key_of(1, 10, 2)) == StatementStore::none);
	store->remove(index);
	CHECK(store->find(key_of(1)) == StatementStore::none && store->used() == 0 && !store->is_used(index));
}

TEST(the_capacity_is_rounded_up_to_whole_sets)
{
	CHECK(store_of(100)->size() == 104 && store_of(96)->size() == 96);
}

TEST(a_free_place_is_taken_before_anybody_is_evicted)
{
	const auto store = store_of(16); // two sets: every key may lie anywhere, or in one of them alone
	for (std::uint64_t fingerprint = 1; fingerprint <= 8; ++fingerprint)
		store->claim(key_of(fingerprint), 1);
	CHECK(store->used() == 8 && store->evicted() == 0);
}

TEST(hardly_anything_gives_way_before_the_store_is_full)
{
	const auto store = store_of(5'000);
	std::uint64_t fingerprint = 0;
	while (++fingerprint <= 3'500)
		store->claim(key_of(fingerprint * 0x9e3779b97f4a7c15), 1);
	CHECK(store->used() == 3'500 && store->evicted() == 0);
	while (++fingerprint <= 5'000)
		store->claim(key_of(fingerprint * 0x9e3779b97f4a7c15), 1);
	CHECK(store->used() > 4'750);
}

TEST(a_key_has_two_sets)
{
	const auto store = store_of(64);
	unsigned claimed = 0;
	for (std::uint64_t fingerprint = 1; claimed < 2 * StatementStore::ways; ++fingerprint)
		if (const std::uint64_t hash = key_of(fingerprint).hash(); hash % 8 == 3 && (hash >> 32) % 8 == 4)
		{
			store->claim(key_of(fingerprint), 1);
			++claimed;
		}
	CHECK(store->evicted() == 0 && store->used() == 2 * StatementStore::ways);
}

TEST(the_least_used_gives_way_and_its_counts_stay)
{
	const auto store = store_of(8); // one set
	for (std::uint64_t fingerprint = 1; fingerprint <= 8; ++fingerprint)
	{
		const std::uint32_t index = store->claim(key_of(fingerprint), 1);
		(*store)[index].counts.calls = fingerprint;
		(*store)[index].times.add_to_bucket(4);
		store->used_again(index, fingerprint == 5 ? 1 : 2);
	}
	store->claim(key_of(9), 70);
	CHECK(store->find(key_of(5)) == StatementStore::none && store->find(key_of(9)) != StatementStore::none);
	CHECK(store->evicted() == 1 && store->used() == 8);
	CHECK(store->overflow().counts.calls == 5 && store->overflow().times.counts[4] == 1);
	const StoredStatement &fresh = (*store)[store->find(key_of(9))];
	CHECK(fresh.counts.calls == 0 && fresh.counts.first == 70 && times_in(fresh) == 0);
}

TEST(what_is_used_all_the_time_is_never_evicted)
{
	const auto store = store_of(64);
	const std::uint32_t hot = store->claim(key_of(1), 1);
	bool there = true;
	for (std::uint64_t fingerprint = 2; fingerprint < 100'000; ++fingerprint)
	{
		store->claim(key_of(fingerprint), 1);
		if (fingerprint % 20 == 0)
			store->used_again(hot, 1);
		there = there && store->key(hot) == key_of(1);
	}
	CHECK(there && store->evicted() == 100'000 - 1 - 64);
}

TEST(what_was_busy_once_gives_way_in_time)
{
	const auto store = store_of(8);
	store->used_again(store->claim(key_of(1), 1), UINT32_MAX);
	std::uint64_t fingerprint = 2;
	while (store->find(key_of(1)) != StatementStore::none && fingerprint < 10'000)
		for (int i = 0; i < 8; ++i, ++fingerprint) // what comes is used twice and more
			store->used_again(store->claim(key_of(fingerprint), 1), 3);
	CHECK(fingerprint > 200 && fingerprint < 10'000);
}

// Far more statements than places: against a plain sum, and for what is left in the store
// against the exact counts of each statement.
TEST(totals_are_exact_under_random_load)
{
	struct Exact
	{
		std::uint64_t calls = 0, rows = 0;
	};
	std::mt19937_64 random(2026);
	for (const unsigned capacity : {8u, 100u, 1000u})
	{
		const auto store = store_of(capacity);
		std::map<std::tuple<std::uint64_t, std::uint32_t>, Exact> exact;
		StatementCounts sent = {};
		for (int i = 0; i < 60'000; ++i)
		{
			const std::uint64_t fingerprint = 1 + (random() >> random() % 64) % 900;
			const std::uint32_t user = 10 + random() % 2;
			const std::uint64_t rows = random() % 9;
			call(*store, key_of(fingerprint, user), rows, static_cast<Nanoseconds>(random() % 100'000));
			Exact &counts = exact[{fingerprint, user}];
			++counts.calls, ++sent.calls;
			counts.rows += rows, sent.rows += rows;
			sent.failed += rows % 5 == 0;
		}

		std::uint64_t times;
		const StatementCounts sum = sum_of(*store, times);
		CHECK(sum.calls == sent.calls && sum.rows == sent.rows && sum.failed == sent.failed && times == sent.calls);
		CHECK(store->used() <= store->size() && (store->evicted() > 0) == (capacity < exact.size()));
		unsigned used = 0;
		for (std::uint32_t i = 0; i < store->size(); ++i)
		{
			used += store->is_used(i);
			if (!store->is_used(i))
				continue;
			const StatementKey &key = store->key(i);
			const Exact &counts = exact[{key.fingerprint, key.user}];
			const StatementCounts &kept = (*store)[i].counts;
			CHECK(store->find(key) == i && kept.calls <= counts.calls && kept.rows <= counts.rows);
			if (store->evicted() == 0)
				CHECK(kept.calls == counts.calls && kept.rows == counts.rows);
		}
		CHECK(used == store->used());
	}
}

TEST(a_copy_of_the_bytes_is_a_store)
{
	const auto store = store_of(64);
	call(*store, key_of(1), 3, 500);
	const auto copy = store_of(64);
	std::memcpy(static_cast<void *>(copy.get()), store.get(), StatementStore::bytes(64));
	call(*copy, key_of(1), 3, 500);
	CHECK((*copy)[copy->find(key_of(1))].counts.calls == 2 && (*store)[store->find(key_of(1))].counts.calls == 1);
}

TEST(a_cleared_store_is_empty)
{
	const auto store = store_of(8);
	for (std::uint64_t fingerprint = 1; fingerprint < 20; ++fingerprint)
		call(*store, key_of(fingerprint), 3, 500);
	store->clear();
	std::uint64_t times;
	CHECK(sum_of(*store, times).calls == 0 && times == 0);
	CHECK(store->used() == 0 && store->evicted() == 0 && store->find(key_of(19)) == StatementStore::none);
}
