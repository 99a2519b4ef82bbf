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

// The statements of a journal's entries.
class Runs
{
public:
	Runs(const Statistics &into, Journal &journal, std::uint32_t written) noexcept : into_(into)
	{
		for (std::uint32_t i = journal.folded; i < written; ++i)
		{
			const unsigned place = journal.entries[i].place();
			if (place <= Journal::others && calls_[place]++ == 0 && place != Journal::others)
				claim(place, journal.key(place), into.timestamp(journal.entries[i].ended));
		}
		for (unsigned i = 0; i < count_; ++i)
		{
			const unsigned place = named_[i];
			journal.seen[place] = true;
			// A later claim may have taken the place of an earlier one.
			if (!(into.statements.key(claimed_[i]) == journal.key(place)))
				continue;
			into.statements.used_again(claimed_[i], calls_[place]);
			statements_[place] = &into.statements[claimed_[i]];
		}
	}

	// A further run adds to the call before.
	void add(const Entry &entry, bool is_call) noexcept
	{
		const unsigned place = entry.place();
		StoredStatement &statement = of(place);
		StatementCounts &counts = statement.counts;

		last_[place] = entry.ended;
		counts.rows += entry.rows();
		counts.total += entry.execution;
		if (!is_call)
		{
			--calls_[place];
			return;
		}
		if (entry.execution < counts.min)
			counts.min = entry.execution;
		if (entry.execution > counts.max)
			counts.max = entry.execution;
		statement.times.add_to_bucket(time_bucket(entry.execution));
	}

	void add_failure(const Entry &entry) noexcept { ++of(entry.place()).counts.failed; }

	// After all entries.
	void finish() noexcept
	{
		for (unsigned i = 0; i < count_; ++i)
			finish(named_[i]);
		finish(Journal::others);
	}

private:
	void claim(unsigned place, const StatementKey &key, std::int64_t first) noexcept
	{
		statements_[place] = &into_.statements.overflow();
		claimed_[count_] = into_.statements.claim(key, first);
		named_[count_++] = static_cast<std::uint16_t>(place);
	}

	StoredStatement &of(unsigned place) noexcept
	{
		return place < Journal::names_limit ? *statements_[place] : into_.statements.overflow();
	}

	void finish(unsigned place) noexcept
	{
		StatementCounts &counts = of(place).counts;

		if (last_[place] == 0)
			return;
		const std::int64_t last = into_.timestamp(last_[place]);
		counts.calls += calls_[place];
		counts.first = counts.first == 0 ? last : counts.first;
		counts.last = std::max(counts.last, last);
	}

	const Statistics &into_;
	unsigned count_ = 0;
	std::uint16_t named_[Journal::names_limit];
	std::uint32_t claimed_[Journal::names_limit]; // in the order of named_
	StoredStatement *statements_[Journal::names_limit];
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

	void add(const Entry &entry, bool is_call) noexcept
	{
		if (entry.is(Entry::begins))
			begin(entry.group());
		statements_ += is_call;
		counts_.statements += is_call;
		counts_.rows += entry.rows();
		counts_.execution += entry.execution;
		counts_.waiting += entry.waiting;
	}

	void add_failure() noexcept { ++counts_.failed; }

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
	void begin(unsigned group) noexcept
	{
		end();
		if (group != group_) [[unlikely]]
			give();
		group_ = group;
	}

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

	TransactionGroup &target() const noexcept
	{
		return group_for(into_.groups, into_.group_count, journal_.groups[group_], into_.fold);
	}

	const Statistics &into_;
	Journal &journal_;
	unsigned group_;
	std::uint64_t statements_; // of the transaction
	std::uint32_t singles_ = 0; // transactions of one statement
	GroupCounts counts_ = {};
};

// Entries that are not simply a run of a client's statement.
inline void
add_uncommon(Runs &runs, Transactions &transactions, const Entry &entry) noexcept
{
	const bool is_call = !entry.is(Entry::further);

	if (entry.place() == Journal::inside)
	{
		transactions.add_inside(entry.rows());
		return;
	}
	runs.add(entry, is_call);
	if (entry.is(Entry::failed))
		runs.add_failure(entry);
	if (entry.is(Entry::nested))
		return;
	transactions.add(entry, is_call);
	if (entry.is(Entry::failed))
		transactions.add_failure();
}

} // namespace detail

// Adds what was written since the last time.  Of a transaction that has not ended the
// statements count already, but not their number.
inline void
fold(const Statistics &into, Journal &journal) noexcept
{
	constexpr std::uint64_t uncommon = Entry::further | Entry::failed | Entry::nested | Journal::names_limit;
	const std::uint32_t written = journal.written.load(std::memory_order_acquire);
	detail::Runs runs(into, journal, written);
	detail::Transactions transactions(into, journal);

	for (std::uint32_t i = journal.folded; i < written; ++i)
	{
		const Entry entry = journal.entries[i];
		if (entry.is(uncommon)) [[unlikely]]
		{
			detail::add_uncommon(runs, transactions, entry);
			continue;
		}
		runs.add(entry, true);
		transactions.add(entry, true);
	}
	journal.folded = written;
	runs.finish();
	transactions.finish(journal.complete.load(std::memory_order_acquire) == written);
}

} // namespace remedy::observe
