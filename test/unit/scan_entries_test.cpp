// sources: src/scans/entries.cpp

#include "check.hpp"

#include <map>
#include <memory>
#include <random>

#include "scans/entries.hpp"

namespace {

using namespace remedy::scans;

Key
key_of(std::uint64_t fingerprint, std::uint32_t relation, int clauses = 0)
{
	Key key = {};

	key.subject = {fingerprint, 1, 2, relation, true, clauses > 0 ? Method::sequential : Method::volume, {}};
	for (int i = 0; i < clauses; ++i)
	{
		Clause clause = {};
		clause.column = static_cast<std::int16_t>(i + 1);
		clause.operation = 96;
		key.predicate.add(clause);
	}
	return key;
}

Counts
volume(std::uint64_t scans, std::uint64_t rows)
{
	return {scans, rows, 0, 0, 0, 0};
}

struct Table
{
	static constexpr unsigned count = 4 * set_size;

	std::unique_ptr<Entry[]> entries = std::make_unique<Entry[]>(count);
	Others others = {};
	std::uint64_t folds = 0;

	Entry &of(const Key &key)
	{
		Entry &entry = entry_for(entries.get(), count, key, hash_of(key), others);
		entry.touched = ++folds;
		return entry;
	}

	Counts total() const
	{
		Counts sum = volume(others.scans, others.rows);
		for (unsigned i = 0; i < count; ++i)
			if (entries[i].hash != 0)
				sum.add(entries[i].counts);
		return sum;
	}
};

// Keys that share a set.
Key
neighbour(unsigned number)
{
	const std::uint64_t wanted = (hash_of(key_of(1, 1)) >> 1) % (Table::count / set_size);

	for (std::uint64_t fingerprint = 1;; ++fingerprint)
	{
		const Key key = key_of(fingerprint, 1);
		if ((hash_of(key) >> 1) % (Table::count / set_size) == wanted && number-- == 0)
			return key;
	}
}

} // namespace

TEST(what_differs_in_anything_is_kept_apart)
{
	Table table;
	const Key key = key_of(7, 8, 2);
	Key others[8] = {key, key, key, key, key, key, key, key};

	others[0].subject.fingerprint = 8;
	others[1].subject.database = 9;
	others[2].subject.user = 9;
	others[3].subject.relation = 9;
	others[4].subject.toplevel = false;
	others[5].subject.method = Method::index;
	others[6].predicate.clauses[1].operation = 97;
	others[7].predicate.cut = true;
	for (const Key &other : others)
	{
		CHECK(!(other == key));
		CHECK(&table.of(other) != &table.of(key));
	}
	CHECK(key_of(7, 8, 2) == key && &table.of(key_of(7, 8, 2)) == &table.of(key));
	CHECK(!(key_of(7, 8, 1) == key));
}

TEST(a_full_set_gives_up_what_was_added_to_longest_ago)
{
	Table table;

	for (unsigned i = 0; i < set_size; ++i)
		table.of(neighbour(i)).add(volume(1, 10), 5, 5);
	table.of(neighbour(0));
	table.of(neighbour(set_size)).add(volume(1, 10), 6, 6);
	CHECK(table.others.missed == 1 && table.others.scans == 1 && table.others.rows == 10);
	CHECK(table.of(neighbour(0)).counts.rows == 10);
	CHECK(table.of(neighbour(2)).counts.rows == 10);
	CHECK(table.others.missed == 1);
	CHECK(table.of(neighbour(1)).counts.empty());
	CHECK(table.others.missed == 2);
}

TEST(totals_stay_right_whatever_gives_way)
{
	Table table;
	std::mt19937 random(1);
	Counts expected = {};

	for (int i = 0; i < 10000; ++i)
	{
		const Counts counts = volume(1, random() % 100);
		table.of(key_of(random() % 200, random() % 3)).add(counts, 1, 1);
		expected.add(counts);
	}
	CHECK(table.total().scans == expected.scans && table.total().rows == expected.rows);
	CHECK(table.others.missed > 0);
}

TEST(what_is_taken_away_before_it_comes_shows_what_came_since)
{
	Entry entry = {};

	entry.forgotten = 100;
	entry.counts.subtract(volume(3, 300));
	CHECK(!entry.counts.are_shown());
	entry.add(volume(3, 300), 10, 20);
	CHECK(entry.counts.empty() && !entry.counts.are_shown());
	entry.add(volume(1, 50), 10, 120);
	CHECK(entry.counts.are_shown() && entry.counts.scans == 1 && entry.counts.rows == 50);
	CHECK(entry.first_seen == 100 && entry.last_seen == 120);
}

TEST(first_and_last_are_the_extremes)
{
	Entry entry = {};

	entry.add(volume(1, 1), 30, 40);
	entry.add(volume(1, 1), 20, 35);
	CHECK(entry.first_seen == 20 && entry.last_seen == 40);
}

TEST(shares_add_up_to_the_whole)
{
	std::mt19937_64 random(2);

	for (int round = 0; round < 1000; ++round)
	{
		std::uint64_t parts[5];
		std::uint64_t sum = 0;
		std::uint64_t shared = 0;
		const std::uint64_t whole = random() >> (random() % 64);
		for (std::uint64_t &part : parts)
			sum += part = (random() >> 8) >> (random() % 50);
		Shares shares(whole, sum);
		for (std::uint64_t part : parts)
			shared += shares.next(part);
		CHECK(sum == 0 || shared == whole);
	}
	Shares thirds(100, 3);
	CHECK(thirds.next(1) == 33 && thirds.next(2) == 67 && thirds.next(1) == 0);
}

TEST(conditions_come_in_one_order)
{
	const auto clause = [](std::int16_t column, std::uint8_t group, std::uint8_t arm, bool indexed) {
		Clause made = {};
		made.column = column;
		made.group = group;
		made.arm = arm;
		made.indexed = indexed;
		return made;
	};
	Conditions one = {};
	Conditions other = {};

	for (const Clause &made :
		 {clause(3, 0, 0, false), clause(9, 1, 1, false), clause(1, 1, 2, false), clause(2, 0, 0, true)})
		one.add(made, made.column + 100);
	for (const Clause &made :
		 {clause(2, 0, 0, true), clause(1, 1, 2, false), clause(3, 0, 0, false), clause(9, 1, 1, false)})
		other.add(made, made.column + 100);
	one.sort();
	other.sort();
	CHECK(one.predicate == other.predicate);
	CHECK(one.predicate.clauses[0].column == 3 && one.predicate.clauses[1].column == 9 &&
		  one.predicate.clauses[3].indexed);
	for (int i = 0; i < one.predicate.count; ++i)
		CHECK(one.constants.of[i] == other.constants.of[i] &&
			  one.constants.of[i] == one.predicate.clauses[i].column + 100u);
}

TEST(equal_conditions_stay_in_their_order)
{
	Conditions conditions = {};
	Clause clause = {};

	clause.column = 2;
	for (ConstantHash constant : {7u, 5u, 6u})
		conditions.add(clause, constant);
	clause.column = 1;
	conditions.add(clause, 9);
	conditions.sort();
	CHECK(conditions.constants.of[0] == 9 && conditions.constants.of[1] == 7 && conditions.constants.of[2] == 5 &&
		  conditions.constants.of[3] == 6);
}

TEST(constants_of_too_many_conditions_are_dropped)
{
	Conditions conditions = {};
	const Clause clause = {};

	for (int i = 0; i < clauses_per_predicate + 2; ++i)
		conditions.add(clause, i + 1);
	CHECK(conditions.predicate.cut && conditions.predicate.count == clauses_per_predicate);
	CHECK(conditions.constants.of[clauses_per_predicate - 1] == clauses_per_predicate);
}

// An entry whose first constants are these, from so many samples.
Entry
seen(ConstantHash first, ConstantHash second, Time when = 50)
{
	Entry entry = {};

	entry.constants = {{first, second}, 1};
	entry.add({0, 0, 1, 10, 1, 1}, when, when);
	return entry;
}

TEST(a_constant_is_unknown_the_same_or_varies)
{
	Entry entry = {};

	entry.add(seen(7, unknown_constant));
	CHECK(entry.constants.of[0] == 7 && entry.constants.of[1] == unknown_constant);
	entry.add(seen(unknown_constant, 8));
	CHECK(entry.constants.of[0] == 7 && entry.constants.of[1] == 8);
	entry.add(seen(7, 9));
	CHECK(entry.constants.of[0] == 7 && entry.constants.of[1] == varied_constant);
	entry.add(seen(7, 8));
	CHECK(entry.constants.of[1] == varied_constant);
	entry.add(seen(varied_constant, unknown_constant));
	CHECK(entry.constants.of[0] == varied_constant && entry.constants.of[1] == varied_constant);
	CHECK(entry.constants.of[2] == unknown_constant);
}

TEST(in_whichever_order_they_come)
{
	const ConstantHash all[] = {unknown_constant, 7, 8, varied_constant};

	for (ConstantHash a : all)
		for (ConstantHash b : all)
			for (ConstantHash c : all)
			{
				Entry one = seen(a, 1);
				Entry other = seen(b, 1);
				one.add(seen(b, 1));
				one.add(seen(c, 1));
				other.add(seen(c, 1));
				other.add(seen(a, 1));
				CHECK(one.constants.of[0] == other.constants.of[0]);
			}
}

TEST(a_constant_recurs_if_enough_samples_say_so)
{
	Entry entry = {};

	for (unsigned i = 0; i < samples_to_recur; ++i)
	{
		CHECK(!entry.constants.recurs(0));
		entry.add(seen(7, 100 + i));
	}
	CHECK(entry.constants.recurs(0) && !entry.constants.recurs(1) && !entry.constants.recurs(2));
	entry.add(seen(8, 100));
	CHECK(!entry.constants.recurs(0));
}

TEST(constants_that_may_be_forgotten_ones_do_not_count)
{
	Entry entry = {};

	entry.forgotten = 100;
	entry.add(seen(7, 8, 99));
	CHECK(entry.constants.of[0] == unknown_constant && entry.counts.samples == 1);
	for (unsigned i = 0; i < samples_to_recur; ++i)
	{
		CHECK(!entry.constants.recurs(0) && entry.counts.samples == i + 1);
		entry.add(seen(9, 8, 100));
	}
	CHECK(entry.constants.of[0] == 9 && entry.constants.of[1] == 8 && entry.constants.recurs(0));
}

TEST(constants_are_no_part_of_the_key)
{
	Table table;

	table.of(key_of(7, 8, 2)).add(seen(1, 2));
	table.of(key_of(7, 8, 2)).add(seen(1, 3));
	CHECK(table.of(key_of(7, 8, 2)).counts.samples == 2);
}

TEST(more_conditions_than_there_is_room_for)
{
	CHECK(!key_of(1, 1, clauses_per_predicate).predicate.cut);
	CHECK(key_of(1, 1, clauses_per_predicate + 1).predicate.cut);
	CHECK(!(key_of(1, 1, clauses_per_predicate) == key_of(1, 1, clauses_per_predicate + 1)));
}
