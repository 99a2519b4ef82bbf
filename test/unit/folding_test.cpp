// sources:

#include "check.hpp"

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "observe/folding.hpp"

namespace {

using namespace remedy;
using namespace remedy::observe;

constexpr std::int64_t offset = 1'000'000; // of timestamps, in microseconds
constexpr unsigned group_count = 8;
constexpr std::uint64_t no_flags = 0;

GroupKey
key_of(std::uint32_t user)
{
	GroupKey key = {};
	key.database = 1;
	key.user = user;
	return key;
}

// A store, and the journal of a backend that works for two users.
struct Backend
{
	explicit Backend(unsigned capacity = 64)
		: memory(std::calloc(1, StatementStore::bytes(capacity))), store(*static_cast<StatementStore *>(memory)),
		  groups(std::make_unique<TransactionGroup[]>(group_count)), journal(std::make_unique<Journal>())
	{
		store.initialise(capacity);
		std::memset(static_cast<void *>(journal.get()), 0, sizeof(Journal));
		journal->database = 1;
		journal->groups[0] = key_of(10);
		journal->groups[1] = key_of(20);
	}

	~Backend() { std::free(memory); }

	unsigned name(std::uint64_t fingerprint, bool nested = false)
	{
		const unsigned place = journal->find({fingerprint, 1, 10, nested, 0});
		if (journal->is_free(place))
			journal->names[place] = {fingerprint, 10, nested};
		return place;
	}

	void run(std::uint64_t place_and_flags, Nanoseconds execution = 100, std::uint64_t rows = 1,
			 Nanoseconds waiting = 0)
	{
		journal->append({execution, ++moment * 1000, waiting, rows << Entry::row_shift | place_and_flags});
	}

	// As many runs of a statement as one transaction.
	void transaction(std::uint64_t fingerprint, unsigned runs, std::uint64_t group = 0)
	{
		for (unsigned i = 0; i < runs; ++i)
			run(name(fingerprint) | group << Entry::group_shift | (i == 0 ? Entry::begins : 0));
		end();
	}

	void end() { journal->complete = journal->written.load(); }
	void fold() { observe::fold({store, groups.get(), group_count, ++folds, offset}, *journal); }

	const StoredStatement &statement(std::uint64_t fingerprint, bool nested = false)
	{
		const std::uint32_t index = store.find({fingerprint, 1, 10, nested, 0});
		return index == StatementStore::none ? nothing : store[index];
	}

	const TransactionGroup &group(std::uint32_t user)
	{
		return group_for(groups.get(), group_count, key_of(user), folds);
	}

	void *memory;
	StatementStore &store;
	std::unique_ptr<TransactionGroup[]> groups;
	std::unique_ptr<Journal> journal;
	std::uint64_t folds = 0;
	Nanoseconds moment = 0;
	StoredStatement nothing = {};
};

std::uint64_t
sizes_in(const TransactionGroup &group)
{
	std::uint64_t sum = 0;
	for (const std::uint32_t count : group.sizes.counts)
		sum += count;
	return sum;
}

} // namespace

TEST(a_run_is_counted_with_its_rows_and_times)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins, 300, 2, 5);
	backend.run(backend.name(7), 100, 40, 6);
	backend.end();
	backend.fold();
	const StatementCounts &counts = backend.statement(7).counts;
	CHECK(counts.calls == 2 && counts.failed == 0 && counts.rows == 42);
	CHECK(counts.total == 400 && counts.min == 100 && counts.max == 300);
	CHECK(counts.first == offset + 1 && counts.last == offset + 2);
	CHECK(backend.statement(7).times.counts[time_bucket(100)] == 1 &&
		  backend.statement(7).times.counts[time_bucket(300)] == 1);
	const GroupCounts &sums = backend.group(10).counts;
	CHECK(sums.statements == 2 && sums.rows == 42 && sums.execution == 400 && sums.waiting == 11 && sums.failed == 0);
	CHECK(sums.transactions == 1 && backend.group(10).statements_max == 2);
}

TEST(rows_need_not_fit_32_bits)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins, 100, std::uint64_t{1} << 46);
	backend.fold();
	CHECK(backend.statement(7).counts.rows == std::uint64_t{1} << 46);
}

TEST(a_failed_run_is_a_call_and_a_failure)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins | Entry::failed, 50, 0);
	backend.fold();
	CHECK(backend.statement(7).counts.calls == 1 && backend.statement(7).counts.failed == 1);
	CHECK(backend.statement(7).counts.min == 50);
	CHECK(backend.group(10).counts.statements == 1 && backend.group(10).counts.failed == 1);
}

TEST(a_further_run_adds_rows_and_time_but_is_no_call)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins, 100, 1);
	backend.run(backend.name(7) | Entry::further, 899, 10);
	backend.run(backend.name(7) | Entry::further, 1, 0);
	backend.end();
	backend.fold();
	const StatementCounts &counts = backend.statement(7).counts;
	CHECK(counts.calls == 1 && counts.rows == 11 && counts.total == 1000 && counts.max == 100 && counts.min == 100);
	CHECK(counts.last == offset + 3);
	CHECK(backend.group(10).counts.statements == 1 && backend.group(10).counts.rows == 11);
	CHECK(backend.group(10).statements_max == 1);
}

TEST(a_nested_run_is_no_part_of_the_transaction)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins);
	backend.run(backend.name(8, true) | Entry::nested);
	backend.run(Journal::others | Entry::nested | Entry::failed);
	backend.end();
	backend.fold();
	CHECK(backend.statement(8, true).counts.calls == 1 && backend.statement(8).counts.calls == 0);
	CHECK(backend.store.overflow().counts.calls == 1 && backend.store.overflow().counts.failed == 1);
	CHECK(backend.group(10).counts.statements == 1 && backend.group(10).counts.failed == 0);
	CHECK(backend.group(10).statements_max == 1);
}

TEST(statements_inside_others_are_a_number_of_the_transaction)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins);
	backend.run(Journal::inside, 0, 5);
	backend.end();
	backend.fold();
	CHECK(backend.group(10).counts.nested == 5 && backend.group(10).counts.rows == 1);
	CHECK(backend.group(10).counts.statements == 1 && backend.store.used() == 1);
	CHECK(backend.store.overflow().counts.calls == 0);
}

TEST(statements_without_a_name_are_counted_among_the_others)
{
	Backend backend;
	backend.run(Journal::others | Entry::begins, 70);
	backend.end();
	backend.fold();
	CHECK(backend.store.overflow().counts.calls == 1 && backend.store.overflow().counts.max == 70);
	CHECK(backend.store.overflow().counts.first == offset + 1);
	CHECK(backend.group(10).counts.statements == 1 && backend.group(10).counts.transactions == 1);
}

TEST(nothing_is_folded_twice)
{
	Backend backend;
	backend.transaction(7, 3);
	backend.fold();
	backend.fold();
	backend.transaction(7, 2);
	backend.fold();
	CHECK(backend.statement(7).counts.calls == 5 && backend.group(10).counts.statements == 5);
	CHECK(backend.group(10).counts.transactions == 2 && sizes_in(backend.group(10)) == 2);
	CHECK(backend.group(10).statements_max == 3);
}

TEST(a_running_transaction_has_statements_but_no_size_yet)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins);
	backend.run(backend.name(7));
	backend.fold();
	CHECK(backend.group(10).counts.statements == 2 && backend.group(10).counts.transactions == 0);
	backend.journal->empty(true, false); // in the middle of it
	backend.run(backend.name(7));
	backend.fold();
	CHECK(backend.group(10).counts.transactions == 0);
	backend.end();
	backend.fold();
	CHECK(backend.group(10).counts.statements == 3 && backend.group(10).counts.transactions == 1);
	CHECK(backend.group(10).statements_max == 3);
}

TEST(a_transaction_that_ended_after_its_last_entry_was_folded_is_counted)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins);
	backend.fold();
	backend.end();
	backend.transaction(7, 4);
	backend.fold();
	CHECK(backend.group(10).counts.transactions == 2 && backend.group(10).statements_max == 4);
	CHECK(backend.group(10).sizes.counts[1] == 1);
}

TEST(a_transaction_keeps_its_group_over_folds)
{
	Backend backend;
	backend.transaction(7, 1, 0);
	backend.run(backend.name(7) | 1u << Entry::group_shift | Entry::begins);
	backend.fold();
	backend.end();
	backend.fold();
	CHECK(backend.group(20).counts.transactions == 1 && backend.group(10).counts.transactions == 1);
}

TEST(a_stretch_has_all_its_times)
{
	Backend backend;
	for (const Nanoseconds execution : {5000, 100, 90000, 700})
		backend.run(backend.name(7), execution);
	backend.fold();
	const TimeHistogram &times = backend.statement(7).times;
	CHECK(times.percentile(0.0) == bucket_middle(time_bucket(100)));
	CHECK(times.percentile(1.0) == bucket_middle(time_bucket(90000)));
}

TEST(names_that_were_folded_are_noted_until_the_journal_is_emptied)
{
	Backend backend;
	const unsigned place = backend.name(7);
	backend.run(place);
	CHECK(!backend.journal->seen[place]);
	backend.fold();
	CHECK(backend.journal->seen[place] && !backend.journal->seen[backend.name(8)]);
	backend.journal->empty(false, false);
	CHECK(!backend.journal->seen[place]);
}

TEST(what_runs_often_keeps_its_place)
{
	Backend backend(16);
	for (unsigned i = 0; i < 200; ++i)
		backend.run(backend.name(7));
	backend.fold();
	backend.journal->empty(true, false);
	for (std::uint64_t fingerprint = 200; fingerprint < 240; ++fingerprint)
		backend.run(backend.name(fingerprint));
	backend.fold();
	CHECK(backend.store.evicted() > 20);
	CHECK(backend.statement(7).counts.calls == 200);
}

TEST(an_emptied_journal_has_no_transaction_that_ended)
{
	Backend backend;
	backend.transaction(7, 1);
	backend.fold();
	backend.journal->empty(false, false);
	backend.fold();
	CHECK(backend.group(10).counts.transactions == 1);
	backend.run(backend.name(7) | Entry::begins); // as many entries as when the last one ended
	backend.fold();
	CHECK(backend.group(10).counts.transactions == 1);
	CHECK(backend.journal->is_name_of(backend.name(7), 7, 10, false));
	backend.journal->empty(true, true);
	CHECK(backend.journal->names[backend.journal->find({7, 1, 10, 0, 0})].user == 0);
	CHECK(backend.journal->groups[0].user == 0);
}

TEST(a_forgotten_transaction_starts_again)
{
	Backend backend;
	backend.run(backend.name(7) | Entry::begins);
	backend.run(backend.name(7));
	backend.fold();
	backend.journal->statements = 0; // a reset
	backend.run(backend.name(7));
	backend.end();
	backend.fold();
	CHECK(backend.group(10).statements_max == 1 && backend.group(10).counts.transactions == 1);
}

TEST(transactions_belong_to_their_groups)
{
	Backend backend;
	backend.transaction(7, 2, 0);
	backend.transaction(7, 5, 1);
	backend.transaction(7, 1, 0);
	backend.transaction(7, 1, 1);
	backend.fold();
	CHECK(backend.group(10).counts.transactions == 2 && backend.group(10).counts.statements == 3);
	CHECK(backend.group(20).counts.transactions == 2 && backend.group(20).counts.statements == 6);
	CHECK(backend.group(10).statements_max == 2 && backend.group(20).statements_max == 5);
}

TEST(a_statement_that_gives_way_in_the_same_fold_is_counted_among_the_others)
{
	Backend backend(8);
	for (std::uint64_t fingerprint = 1; fingerprint <= 20; ++fingerprint)
		backend.transaction(fingerprint, 1);
	backend.fold();
	std::uint64_t kept = 0;
	for (std::uint64_t fingerprint = 1; fingerprint <= 20; ++fingerprint)
		kept += backend.statement(fingerprint).counts.calls;
	CHECK(kept == 8 && backend.store.overflow().counts.calls == 12 && backend.store.evicted() == 12);
	CHECK(backend.group(10).counts.statements == 20);
}

// Whatever a backend does and whenever it is folded, the sums are those of the runs.
TEST(folds_at_any_time_give_the_same_sums)
{
	std::mt19937_64 random(20261121);
	Backend backend(32);
	std::uint64_t calls = 0, rows = 0, transactions = 0, failures = 0;
	Nanoseconds total = 0;
	std::map<std::uint64_t, std::uint64_t> sizes;

	for (unsigned round = 0; round < 3000; ++round)
	{
		const unsigned size = random() % 8 == 0 ? 1 + random() % 40 : 1;
		const std::uint64_t group = random() % 2 << Entry::group_shift;
		for (unsigned i = 0; i < size; ++i)
		{
			if (backend.journal->written + 50 > Journal::limit || random() % 100 == 0)
			{
				backend.fold();
				if (random() % 2 == 0 || backend.journal->written + 50 > Journal::limit)
					backend.journal->empty(random() % 2 == 0, false);
			}
			const unsigned place = backend.name(1 + random() % 100);
			const bool failed = random() % 50 == 0;
			const Nanoseconds execution = static_cast<Nanoseconds>(random() % 1'000'000);
			backend.run(place | group | (i == 0 ? Entry::begins : no_flags) | (failed ? Entry::failed : no_flags),
						execution, i);
			++calls;
			rows += i;
			total += execution;
			failures += failed;
		}
		backend.end();
		++transactions;
		++sizes[SizeHistogram::bucket(size)];
	}
	backend.fold();
	StatementCounts sum = {};
	std::uint64_t times = 0;
	const auto add = [&](const StoredStatement &statement) {
		sum.add(statement.counts);
		for (const std::uint32_t count : statement.times.counts)
			times += count;
	};
	for (std::uint32_t i = 0; i < backend.store.size(); ++i)
		if (backend.store.is_used(i))
			add(backend.store[i]);
	add(backend.store.overflow());
	CHECK(sum.calls == calls && sum.rows == rows && sum.total == total && sum.failed == failures && times == calls);
	GroupCounts groups = backend.group(10).counts;
	groups.add(backend.group(20).counts);
	CHECK(groups.statements == calls && groups.rows == rows && groups.execution == total);
	CHECK(groups.transactions == transactions && groups.failed == failures);
	for (const auto &[bucket, count] : sizes)
		CHECK(backend.group(10).sizes.counts[bucket] + backend.group(20).sizes.counts[bucket] == count);
}
