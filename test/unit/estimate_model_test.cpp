// sources: src/jsonb_migration/estimate_model.cpp

#include "check.hpp"

#include <cmath>

#include "jsonb_migration/estimate_model.hpp"

namespace {

using namespace remedy::jsonb_migration;

constexpr Intentions unhurried = {0.1, 250, true};

bool
is_near(double value, double wanted)
{
	return std::fabs(value - wanted) <= 0.25 * wanted;
}

// 60,000 orders on an idle processor, with two indexes that do not hang on the column.
Facts
orders()
{
	Facts facts = {};

	facts.rows = 60000;
	facts.heap_bytes = 41.0e6;
	facts.convert_seconds = 5.9e-6;
	facts.now = {656, 683, 0, 0, 0};
	facts.both = {1374, 1638, 0, 0, 0};
	facts.jsonb = {776, 820, 0, 0, 0};
	facts.indexes = 2;
	facts.index_bytes = 3.8e6;
	facts.largest_index_bytes = 2e6;
	facts.slowness = facts.busyness = 1;
	facts.sort_memory = 64e6;
	facts.full_page_writes = true;
	return facts;
}

// What was measured of these: processor's seconds, and MB.
TEST(a_migration_costs_what_one_did)
{
	const Cost alone = cost_of_migration(orders(), {0, 250, false});

	CHECK(is_near(alone.seconds, 60000 * (16.7 + 7.0 + 0.7) * 1e-6));
	CHECK(is_near(alone.wal_bytes, 146.7e6));
	CHECK(is_near(alone.end_bytes, 139.2e6 + 7.6e6));
	CHECK(is_near(alone.peak_bytes, 139.2e6 + 7.6e6 - 41e6 - 3.8e6));
}

TEST(plain_alter_costs_what_one_did)
{
	const Cost alter = cost_of_alter(orders());

	CHECK(is_near(alter.seconds, 60000 * 10.0e-6));
	CHECK(alter.stall_ms == alter.seconds * 1000);
	CHECK(is_near(alter.wal_bytes, 48.6e6 + 3.8e6));
	CHECK(is_near(alter.end_bytes, 49.2e6 + 3.8e6));
	CHECK(alter.peak_bytes == alter.end_bytes && alter.repack_bytes == 0);
}

TEST(vacuum_saves_space_and_rests_take_time)
{
	const Cost paced = cost_of_migration(orders(), unhurried);
	const Cost alone = cost_of_migration(orders(), {0.1, 250, false});
	const Cost slow = cost_of_migration(orders(), {0.9, 250, true});

	CHECK(paced.peak_bytes < 0.7 * alone.peak_bytes);
	CHECK(slow.seconds > 5 * paced.seconds && slow.wal_bytes == paced.wal_bytes);
	CHECK(paced.repack_bytes > 0 && paced.repack_bytes < paced.end_bytes);
}

TEST(a_busy_machine_takes_longer_and_locks_no_longer)
{
	Facts facts = orders();
	const Cost idle = cost_of_migration(facts, unhurried);
	const Cost idle_alter = cost_of_alter(facts);

	facts.busyness = 3;
	CHECK(cost_of_alter(facts).seconds == 3 * idle_alter.seconds);
	CHECK(cost_of_migration(facts, unhurried).seconds > 2 * idle.seconds);
	CHECK(cost_of_migration(facts, unhurried).peak_bytes == idle.peak_bytes);
	facts.dependents = 20;
	CHECK(cost_of_migration(facts, unhurried).stall_ms > idle.stall_ms);
}

TEST(what_is_built_anew_takes_space_twice)
{
	Facts facts = orders();
	const Cost before = cost_of_migration(facts, unhurried);

	facts.twins = 1;
	facts.twin_bytes = facts.largest_twin_bytes = 100e6;
	facts.view_bytes = 10e6;
	const Cost after = cost_of_migration(facts, unhurried);
	CHECK(after.sort_bytes == 100e6);
	CHECK(is_near(after.peak_bytes - before.peak_bytes, 210e6));
	CHECK(is_near(after.wal_bytes - before.wal_bytes, 110e6));
	facts.wal_skipped = true;
	CHECK(cost_of_alter(facts).wal_bytes == 0);
}

TEST(an_empty_table_costs_next_to_nothing)
{
	const Facts none = {};

	CHECK(cost_of_alter(none).seconds == 0 && cost_of_alter(none).peak_bytes == 0);
	CHECK(cost_of_migration(none, unhurried).seconds < 1 && cost_of_migration(none, unhurried).wal_bytes == 0);
}

} // namespace
