// sources:

#include "check.hpp"

#include <cstdint>
#include <memory>

#include "observe/statement_table.hpp"

namespace {

using namespace remedy::observe;

// A session's table with its two periods. The fingerprints of a set are multiples of the number of sets.
struct Session
{
	std::unique_ptr<StatementTable> table = std::make_unique<StatementTable>();
	Period transaction = {};
	Period watch = {};

	Session() { transaction.restart(1); }

	Claim claim(std::uint64_t fingerprint) { return table->claim(fingerprint, transaction.number, watch.number); }

	// Runs a statement; false if the table had no room for it.
	bool run(std::uint64_t fingerprint, std::uint64_t rows = 0)
	{
		const Claim claimed = claim(fingerprint);
		const Tally tally = {1, rows, 10};
		transaction.count(claimed.entry == nullptr ? nullptr : &claimed.entry->transaction, tally);
		if (watch.number != 0)
			watch.count(claimed.entry == nullptr ? nullptr : &claimed.entry->watch, tally);
		return claimed.entry != nullptr;
	}

	void run_set(unsigned first, unsigned count)
	{
		for (unsigned i = first; i < first + count; ++i)
			run(in_set(i));
	}

	bool knows(std::uint64_t fingerprint) const { return table->find(fingerprint) != nullptr; }

	void next_transaction() { transaction.restart(transaction.number + 1); }
	void start_watch() { watch.restart(watch.number + 1); }

	static std::uint64_t in_set(unsigned number) { return 7 + std::uint64_t{number} * StatementTable::sets; }
};

} // namespace

TEST(a_claimed_entry_is_found_again)
{
	Session session;
	const Claim first = session.claim(42);
	CHECK(first.entry != nullptr && first.fresh);
	CHECK(first.entry->fingerprint == 42);
	const Claim second = session.claim(42);
	CHECK(second.entry == first.entry && !second.fresh);
	CHECK(session.table->find(42) == first.entry);
	CHECK(session.table->find(43) == nullptr);
}

TEST(statements_of_one_set_do_not_disturb_each_other)
{
	Session session;
	session.run_set(0, StatementTable::ways);
	for (unsigned i = 0; i < StatementTable::ways; ++i)
	{
		const StatementEntry *const entry = session.table->find(Session::in_set(i));
		CHECK(entry != nullptr && entry->transaction.tally.calls == 1);
		CHECK(entry->transaction.order == i);
	}
}

TEST(a_full_set_has_no_room_for_what_the_transaction_needs)
{
	Session session;
	session.run_set(0, StatementTable::ways);
	CHECK(!session.run(Session::in_set(8), 5));
	CHECK(session.transaction.others.calls == 1 && session.transaction.others.rows == 5);
	CHECK(session.transaction.statements == StatementTable::ways + 1);
	for (unsigned i = 0; i < StatementTable::ways; ++i)
		CHECK(session.knows(Session::in_set(i)));
	CHECK(session.run(8)); // another set has room
}

TEST(the_next_transaction_takes_the_place_of_the_least_recent)
{
	Session session;
	session.run_set(0, 1);
	session.next_transaction();
	session.run_set(1, StatementTable::ways - 1);
	session.next_transaction();
	session.run(Session::in_set(3));
	session.run(Session::in_set(8));
	CHECK(!session.knows(Session::in_set(0)));
	for (unsigned i = 1; i <= StatementTable::ways; ++i)
		CHECK(session.knows(Session::in_set(i)));
}

TEST(a_statement_used_again_is_not_the_least_recent)
{
	Session session;
	session.run_set(0, StatementTable::ways);
	session.next_transaction();
	for (unsigned i = 0; i < StatementTable::ways; ++i)
		if (i != 5)
			session.run(Session::in_set(i));
	session.next_transaction();
	session.run(Session::in_set(8));
	CHECK(!session.knows(Session::in_set(5)));
}

TEST(what_the_watch_needs_outlives_its_transaction)
{
	Session session;
	session.start_watch();
	session.run_set(0, StatementTable::ways);
	session.next_transaction();
	CHECK(!session.run(Session::in_set(8)));
	CHECK(session.watch.others.calls == 1);

	session.start_watch();
	session.next_transaction();
	CHECK(session.run(Session::in_set(8)));
}

TEST(without_a_watch_nothing_is_kept_for_one)
{
	Session session;
	session.run_set(0, StatementTable::ways);
	session.next_transaction();
	CHECK(session.watch.number == 0);
	CHECK(session.run(Session::in_set(8)));
}

TEST(a_replaced_entry_starts_from_nothing_and_keeps_its_text_for_the_owner)
{
	Session session;
	char text[] = "SELECT 1";
	session.start_watch();
	session.run_set(0, StatementTable::ways);
	for (StatementEntry &entry : *session.table)
		entry.text.bytes = text;
	session.start_watch();
	session.next_transaction();
	const Claim claimed = session.claim(Session::in_set(8));
	CHECK(claimed.fresh);
	CHECK(claimed.entry->text.bytes == text); // whoever claims must free it
	CHECK(claimed.entry->transaction.tally.calls == 0 && claimed.entry->transaction.period == 0);
	CHECK(claimed.entry->watch.tally.calls == 0 && claimed.entry->watch.period == 0);
}

TEST(periods_restart_by_themselves)
{
	Session session;
	session.start_watch();
	session.run(1, 100);
	session.run(1, 100);
	session.next_transaction();
	session.run(2);
	session.run(1, 3);

	const StatementEntry &entry = *session.table->find(1);
	CHECK(entry.transaction.period == 2 && entry.transaction.order == 1);
	CHECK(entry.transaction.tally.calls == 1 && entry.transaction.tally.rows == 3);
	CHECK(entry.watch.order == 0);
	CHECK(entry.watch.tally.calls == 3 && entry.watch.tally.rows == 203 && entry.watch.tally.execution == 30);
	CHECK(session.transaction.fingerprints == 2 && session.transaction.statements == 2);
	CHECK(session.watch.fingerprints == 2 && session.watch.statements == 4);
}

TEST(a_period_restarts_empty)
{
	Session session;
	session.transaction.count(nullptr, {1, 2, 3});
	session.transaction.nested = 4;
	session.next_transaction();
	const Period &period = session.transaction;
	CHECK(period.number == 2 && period.statements == 0 && period.fingerprints == 0);
	CHECK(period.nested == 0);
	CHECK(period.others.calls == 0 && period.others.rows == 0 && period.others.execution == 0);
}

TEST(every_entry_can_be_in_use_at_once)
{
	Session session;
	for (std::uint64_t fingerprint = 1; fingerprint <= StatementTable::size; ++fingerprint)
		CHECK(session.run(fingerprint));
	CHECK(session.transaction.fingerprints == StatementTable::size);
	CHECK(!session.run(StatementTable::size + 1));
	unsigned used = 0;
	for (const StatementEntry &entry : *session.table)
		used += entry.fingerprint != 0;
	CHECK(used == StatementTable::size);
}
