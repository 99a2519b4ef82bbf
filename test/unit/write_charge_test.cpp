// sources:

#include "check.hpp"

#include "index_advice/write_charge.hpp"

namespace {

using namespace remedy::index_advice;

bool
is_close(double one, double other)
{
	return one - other < 1e-9 && other - one < 1e-9;
}

constexpr Entry small = {Method::btree, 4, 1, false, 1};

} // namespace

TEST(an_index_costs_its_entries)
{
	const TableWrites writes = {1000, {}, 0, 0.1};

	CHECK(is_close(writes.charge_ms(0.004, 0), 4));
	CHECK(is_close(writes.charge_ms(0, 0), 0));
}

TEST(hot_updates_that_are_lost_cost_entries_in_all_indexes)
{
	TableWrites writes = {1000, {}, 0, 0.1};
	const Set status = writes.add_hot(500);
	const Set seen = writes.add_hot(300);

	CHECK(is_close(writes.charge_ms(0.004, status), 4 + 500 * (0.004 + 0.1 + 0.0005)));
	CHECK(is_close(writes.charge_ms(0.004, status | seen), 4 + 800 * (0.004 + 0.1 + 0.0005)));
}

TEST(what_is_too_much_for_a_set_shares_the_last_kind)
{
	TableWrites writes = {};
	Set last = 0;

	for (int i = 0; i < update_kinds + 2; ++i)
		last = writes.add_hot(1);
	CHECK(writes.kinds == update_kinds && last == only(update_kinds - 1));
	CHECK(is_close(writes.hot_among(last), 3) && is_close(writes.hot_among(~Set{0}), update_kinds + 2));
}

TEST(entries_cost_by_what_they_are)
{
	CHECK(entry_ms({Method::brin, 4, 1, false, 1}) < entry_ms({Method::btree, 4, 1, true, 1}));
	CHECK(entry_ms({Method::btree, 4, 1, true, 1}) < entry_ms(small));
	CHECK(entry_ms(small) < entry_ms({Method::btree, 100, 1, false, 1}));
	CHECK(entry_ms(small) < entry_ms({Method::gin, 4, 5, false, 1}));
	CHECK(is_close(entry_ms({Method::btree, 4, 1, false, 0.1}), entry_ms(small) / 10));
	CHECK(wal_bytes({Method::brin, 4, 1, false, 1}) == 0);
	CHECK(wal_bytes(small) < wal_bytes({Method::gin, 4, 5, false, 1}));
}

TEST(only_the_share_of_updates_that_are_hot_can_be_lost)
{
	CHECK(is_close(hot_updates(100, false, 800, 1000), 80));
	CHECK(is_close(hot_updates(100, false, 2000, 1000), 100));
	CHECK(hot_updates(100, true, 800, 1000) == 0 && hot_updates(100, false, 0, 0) == 0);
}

// 10 ms saved by each of 100 reads, 0.004 ms for each write: 2,500 writes for a read.
TEST(the_break_even_is_writes_for_a_read)
{
	CHECK(is_close(break_even(1000, 100, 4, 1000), 2500));
	CHECK(break_even(1000, 0, 4, 1000) == 0 && break_even(1000, 100, 0, 0) == 0);
}
