// Folding a backend's journal into the statistics, all under their lock.  No server
// headers.

#pragma once

#include "observe/journal.hpp"
#include "observe/statement_store.hpp"

namespace remedy::observe {

// Where journals are folded into.
struct Statistics
{
	StatementStore &statements;
	TransactionGroup *groups;
	unsigned group_count;
	std::uint64_t fold;        // number of this fold
	std::int64_t clock_offset; // of timestamps from the monotonic clock, in microseconds

	std::int64_t timestamp(Nanoseconds moment) const noexcept { return moment / 1000 + clock_offset; }
};

namespace detail {

// Runs of one statement, one after the other.
struct Stretch
{
	unsigned place;
	std::uint64_t calls;
	std::uint64_t failed;
	std::uint64_t rows;
	Nanoseconds execution;
	Nanoseconds waiting;
	Nanoseconds min;
	Nanoseconds max;
	Nanoseconds ended; // the last one
};

// The statements of a journal's entries.
class Runs
{
public:
	Runs(const Statistics &into, Journal &journal, std::uint32_t written) noexcept : into_(into)
	{
		unsigned last = Journal::others;

		for (std::uint32_t i = journal.folded; i < written; ++i)
			if (const unsigned place = journal.entries[i].place(); place != last)
			{
				if (place < Journal::names_limit && statements_[place] == nullptr)
					claim(place, journal.key(place), into.timestamp(journal.entries[i].ended));
				last = place;
			}
		for (unsigned i = 0; i < count_; ++i)
		{
			const unsigned place = named_[i];
			journal.seen[place] = true;
			// A later claim may have taken the place of an earlier one.
			if (into.statements.key(claimed_[i]) == journal.key(place))
				statements_[place] = &into.statements[claimed_[i]];
			else
				claimed_[i] = StatementStore::none;
		}
	}

	StoredStatement &of(unsigned place) noexcept
	{
		return place < Journal::names_limit ? *statements_[place] : into_.statements.overflow();
	}

	void add(const Stretch &stretch) noexcept
	{
		StatementCounts &counts = of(stretch.place).counts;

		counts.calls += stretch.calls;
		counts.failed += stretch.failed;
		counts.rows += stretch.rows;
		counts.total += stretch.execution;
		counts.min = std::min(counts.min, stretch.min);
		counts.max = std::max(counts.max, stretch.max);
		calls_[stretch.place] += static_cast<std::uint16_t>(stretch.calls);
		last_[stretch.place] = stretch.ended;
	}

	// After all entries.
	void finish() noexcept
	{
		for (unsigned i = 0; i < count_; ++i)
		{
			note_last(named_[i]);
			if (claimed_[i] != StatementStore::none)
				into_.statements.used_again(claimed_[i], calls_[named_[i]]);
		}
		if (last_[Journal::others] != 0)
			note_last(Journal::others);
	}

private:
	void claim(unsigned place, const StatementKey &key, std::int64_t first) noexcept
	{
		statements_[place] = &into_.statements.overflow();
		claimed_[count_] = into_.statements.claim(key, first);
		named_[count_++] = static_cast<std::uint16_t>(place);
	}

	void note_last(unsigned place) noexcept
	{
		StatementCounts &counts = of(place).counts;
		const std::int64_t last = into_.timestamp(last_[place]);

		counts.first = counts.first == 0 ? last : counts.first;
		counts.last = std::max(counts.last, last);
	}

	const Statistics &into_;
	unsigned count_ = 0;
	std::uint16_t named_[Journal::names_limit];
	std::uint32_t claimed_[Journal::names_limit]; // in the order of named_
	StoredStatement *statements_[Journal::names_limit] = {};
	std::uint16_t calls_[Journal::names_limit + 1] = {};
	Nanoseconds last_[Journal::names_limit + 1] = {};
};

// Its transactions.  Sums are kept here as long as the group is the same.
class Transactions
{
public:
	Transactions(const Statistics &into, Journal &journal) noexcept
		: into_(into), journal_(journal), group_(journal.group), statements_(journal.statements)
	{
	}

	void begin(unsigned group) noexcept
	{
		end();
		if (group != group_) [[unlikely]]
			give();
		group_ = group;
	}

	void count_call() noexcept { ++statements_; }

	void add(const Stretch &stretch) noexcept
	{
		counts_.statements += stretch.calls;
		counts_.failed += stretch.failed;
		counts_.rows += stretch.rows;
		counts_.execution += stretch.execution;
		counts_.waiting += stretch.waiting;
	}

	// So many ran inside statements of the transaction.
	void add_inside(std::uint64_t statements) noexcept { counts_.nested += statements; }

	// After all entries.
	void finish(bool ended) noexcept
	{
		if (ended)
			end();
		give();
		journal_.group = static_cast<std::uint8_t>(group_);
		journal_.statements = statements_;
	}

private:
	void end() noexcept
	{
		if (statements_ == 1) [[likely]]
			++singles_;
		else if (statements_ > 0)
			target().add_transactions(1, statements_);
		statements_ = 0;
	}

	void give() noexcept
	{
		if ((counts_.statements | counts_.rows | counts_.nested | singles_) == 0)
			return;
		target().counts.add(counts_);
		target().add_transactions(singles_, 1);
		counts_ = {};
		singles_ = 0;
	}

	TransactionGroup &target() noexcept
	{
		TransactionGroup *&target = targets_[group_];

		if (target == nullptr)
			target = &group_for(into_.groups, into_.group_count, journal_.groups[group_], into_.fold);
		return *target;
	}

	const Statistics &into_;
	Journal &journal_;
	unsigned group_;
	std::uint64_t statements_;  // of the transaction
	std::uint32_t singles_ = 0; // transactions of one statement
	GroupCounts counts_ = {};
	TransactionGroup *targets_[Journal::groups_limit] = {};
};

constexpr std::uint64_t uncommon = Entry::further | Entry::failed | Entry::nested | Journal::names_limit;

// An entry that is not simply a run of a client's statement.
inline void
add_uncommon(Runs &runs, Transactions &transactions, const Entry &entry) noexcept
{
	const bool is_call = !entry.is(Entry::further);

	if (entry.place() == Journal::inside)
	{
		transactions.add_inside(entry.rows());
		return;
	}
	Stretch one = {entry.place(), is_call,         entry.is(Entry::failed), entry.rows(), entry.execution,
				   entry.waiting, entry.execution, entry.execution,         entry.ended};
	if (is_call)
		runs.of(one.place).times.add_to_bucket(time_bucket(entry.execution));
	else
	{
		one.min = std::numeric_limits<Nanoseconds>::max();
		one.max = 0;
	}
	runs.add(one);
	if (entry.is(Entry::nested))
		return;
	if (entry.is(Entry::begins))
		transactions.begin(entry.group());
	if (is_call)
		transactions.count_call();
	transactions.add(one);
}

// The entry, and those after it that are runs of the same statement for the same group.
// Returns the one after those.
inline const Entry *
add_stretch(Runs &runs, Transactions &transactions, const Entry *entry, const Entry *end) noexcept
{
	constexpr std::uint64_t alike = Entry::place_mask | Entry::group_mask << Entry::group_shift | uncommon;
	const std::uint64_t like = entry->what & alike;
	const Entry *const first = entry;
	TimeHistogram &times = runs.of(first->place()).times;
	Stretch sum = {first->place(), 0, 0, 0, 0, 0, first->execution, first->execution, 0};

	do
	{
		const Nanoseconds execution = entry->execution;
		if (entry->is(Entry::begins))
			transactions.begin(first->group());
		transactions.count_call();
		sum.rows += entry->rows();
		sum.execution += execution;
		sum.waiting += entry->waiting;
		sum.min = std::min(sum.min, execution);
		sum.max = std::max(sum.max, execution);
		times.count(time_bucket(execution));
	} while (++entry < end && (entry->what & alike) == like);
	times.use(time_bucket(sum.min), time_bucket(sum.max) + 1);
	sum.calls = static_cast<std::uint64_t>(entry - first);
	sum.ended = entry[-1].ended;
	runs.add(sum);
	transactions.add(sum);
	return entry;
}

} // namespace detail

// Adds what was written since the last time.  Of a transaction that has not ended the
// statements count already, but not their number.
inline void
fold(const Statistics &into, Journal &journal) noexcept
{
	const std::uint32_t written = journal.written.load(std::memory_order_acquire);
	detail::Runs runs(into, journal, written);
	detail::Transactions transactions(into, journal);
	const Entry *const end = journal.entries + written;

	for (const Entry *entry = journal.entries + journal.folded; entry < end;)
		if (entry->is(detail::uncommon)) [[unlikely]]
			detail::add_uncommon(runs, transactions, *entry++);
		else
			entry = detail::add_stretch(runs, transactions, entry, end);
	journal.folded = written;
	runs.finish();
	transactions.finish(journal.complete.load(std::memory_order_acquire) == written);
}

} // namespace remedy::observe
