// sources:

#include "check.hpp"

#include <memory>
#include <string>

#include "index_advice/advised_table.hpp"

namespace {

using namespace remedy::index_advice;

Advised
advice(std::uint32_t relation, std::int64_t when, std::uint64_t form = 1)
{
	Advised advised = {};

	advised.database = 1;
	advised.relation = relation;
	advised.form = form;
	advised.advised_at = when;
	return advised;
}

} // namespace

TEST(advice_is_found_by_its_definition)
{
	const auto table = std::make_unique<AdvisedTable>();

	table->remember(advice(7, 100));
	CHECK(table->find(1, 7, 1) != nullptr);
	CHECK(table->find(1, 7, 2) == nullptr && table->find(1, 8, 1) == nullptr && table->find(2, 7, 1) == nullptr);
}

TEST(repeated_advice_keeps_when_it_was_given_first)
{
	const auto table = std::make_unique<AdvisedTable>();
	Advised again = advice(7, 200);

	table->remember(advice(7, 100));
	again.saving_ms = 5;
	table->remember(again);
	const Advised *const entry = table->find(1, 7, 1);
	CHECK(entry->advised_at == 100 && entry->repeated_at == 200 && entry->saving_ms == 5);
	CHECK(table->entries[1].database == 0);
}

TEST(advice_for_what_was_built_and_dropped_begins_anew)
{
	const auto table = std::make_unique<AdvisedTable>();

	table->remember(advice(7, 100));
	table->find(1, 7, 1)->built_at = 150;
	table->remember(advice(7, 200));
	CHECK(table->find(1, 7, 1)->built_at == 0 && table->find(1, 7, 1)->advised_at == 200);
}

TEST(what_was_built_stays_longest)
{
	const auto table = std::make_unique<AdvisedTable>();

	for (int i = 0; i < advised_limit; ++i)
		table->remember(advice(10 + i, 1000 + i));
	for (int i = 0; i < advised_limit; ++i)
		if (i != 5)
			table->find(1, 10 + i, 1)->built_at = 5000 - i;
	table->remember(advice(1, 3000));
	CHECK(table->find(1, 15, 1) == nullptr && table->find(1, 1, 1) != nullptr);
	table->find(1, 1, 1)->built_at = 6000;
	table->remember(advice(2, 3000));
	CHECK(table->find(1, 10 + advised_limit - 1, 1) == nullptr && table->find(1, 1, 1) != nullptr);
	table->remember(advice(3, 3001));
	CHECK(table->find(1, 2, 1) == nullptr);
}

TEST(what_was_saved_finds_room_once)
{
	const auto table = std::make_unique<AdvisedTable>();

	CHECK(table->take_back(advice(7, 100)) && !table->take_back(advice(7, 100)));
	for (int i = 1; i < advised_limit; ++i)
		CHECK(table->take_back(advice(10 + i, 100)));
	CHECK(!table->take_back(advice(8, 100)));
}

TEST(what_makes_no_sense_is_told)
{
	Advised bad = advice(7, 100);

	CHECK(bad.makes_sense());
	bad.statement_count = advised_statements + 1;
	CHECK(!bad.makes_sense());
	bad = advice(0, 100);
	CHECK(!bad.makes_sense());
	bad = advice(7, 100);
	std::memset(bad.definition, 'x', sizeof(bad.definition));
	CHECK(!bad.makes_sense());
}

TEST(an_outcome_compares_the_same_mix)
{
	Outcome outcome;

	outcome.add({100, 1000}, {110, 1010}); // 10 ms each before, 1 ms after
	outcome.add({10, 10}, {110, 110});     // 1 ms each, before and after
	CHECK(outcome.calls_before == 110 && outcome.calls_after == 110);
	CHECK(outcome.total_ms_after == 110 && outcome.expected_ms == 200);
}

TEST(after_a_reset_all_is_after)
{
	Outcome outcome;

	outcome.add({100, 1000}, {20, 40});
	CHECK(outcome.calls_after == 20 && outcome.total_ms_after == 40 && outcome.expected_ms == 200);
}

TEST(what_never_ran_before_is_not_compared)
{
	Outcome outcome;

	outcome.add({0, 0}, {20, 40});
	CHECK(outcome.calls_after == 0 && outcome.expected_ms == 0);
}

TEST(times_from_before_an_index_do_not_count)
{
	const auto table = std::make_unique<AdvisedTable>();
	Advised older = advice(7, 100, 1), newer = advice(7, 100, 2), not_built = advice(7, 100, 3);

	for (Advised *entry : {&older, &newer, &not_built})
	{
		entry->statement_count = 1;
		entry->statements[0] = {42, {10, 1000}};
	}
	older.built_at = 200;
	newer.built_at = 300;
	for (const Advised &entry : {older, newer, not_built})
		table->remember(entry);
	const Advised *const latest = table->latest_built_for(1, 42);
	CHECK(latest != nullptr && latest->form == 2);
	CHECK(table->latest_built_for(1, 43) == nullptr && table->latest_built_for(2, 42) == nullptr);
	CHECK(latest->ms_by_now(42, 20, 1010) == 20);   // 1 ms each since
	CHECK(latest->ms_by_now(42, 10, 1000) == 1000); // nothing since
	CHECK(latest->ms_by_now(42, 5, 15) == 15);      // reset
	CHECK(!latest->ran_since(42, 10) && latest->ran_since(42, 11) && latest->ran_since(42, 5));
}
