// The statements of one session, by fingerprint, with counts for the running
// transaction and for the watched stretch.
//
// Fixed in size: 64 sets of 8 entries.  Counts belong to a period, numbered from
// 1; an entry of another period simply starts again, so nothing is cleared when a
// transaction ends.  A new fingerprint takes the place of an entry that neither
// the running transaction nor the watch needs; if its whole set is in use, claim()
// gives nothing and the caller counts the statement among the others.

#pragma once

#include <cstdint>

#include "observe/clock.hpp"

namespace remedy::observe {

struct Tally
{
	std::uint64_t calls;
	std::uint64_t rows;
	Nanoseconds execution;

	void add(const Tally &other) noexcept
	{
		calls += other.calls;
		rows += other.rows;
		execution += other.execution;
	}
};

// What one fingerprint did in one period; restarts when the period changes.
struct PeriodTally
{
	std::uint32_t period;
	std::uint32_t order; // the how-manieth fingerprint of the period this was
	Tally tally;
};

// A statement's text as the client wrote it.
struct RawText
{
	char *bytes;           // owned by the session; null: unknown
	bool standard_strings; // it was surely parsed with standard_conforming_strings
	bool cut;
	std::uint8_t parameter_count;         // or types_unknown
	std::uint32_t user;                   // who ran it
	const std::uint32_t *parameter_types; // in the memory of the text
	const char *search_path;              // behind the text's end; null: unknown
};

struct StatementEntry
{
	std::uint64_t fingerprint; // 0: free
	RawText text;
	PeriodTally transaction;
	PeriodTally watch;
	void *attached;                 // a listener's,
	std::uint32_t settled_for;      // and its too,
	std::uint64_t *passed;          // and the count of those that it lets pass
	std::uint32_t place;            // of its name in the backend's journal,
	std::uint32_t place_user;       // for this user,
	std::uint32_t place_generation; // while names_generation is this

	bool needed(std::uint32_t transaction_period, std::uint32_t watch_period) const noexcept
	{
		return transaction.period == transaction_period || (watch_period != 0 && watch.period == watch_period);
	}
};

struct Claim
{
	StatementEntry *entry; // null: no room
	bool fresh;            // the entry was another's or free: its text must be replaced
};

class StatementTable
{
public:
	static constexpr unsigned sets = 64;
	static constexpr unsigned ways = 8;
	static constexpr unsigned size = sets * ways;

	StatementEntry *find(std::uint64_t fingerprint) noexcept
	{
		StatementEntry *const set = set_of(fingerprint);
		for (unsigned i = 0; i < ways; ++i)
			if (set[i].fingerprint == fingerprint)
				return &set[i];
		return nullptr;
	}

	Claim claim(std::uint64_t fingerprint, std::uint32_t transaction_period, std::uint32_t watch_period) noexcept
	{
		StatementEntry *const set = set_of(fingerprint);
		StatementEntry *oldest = nullptr;
		for (unsigned i = 0; i < ways; ++i)
		{
			StatementEntry &entry = set[i];
			if (entry.fingerprint == fingerprint)
				return {&entry, false};
			if (entry.fingerprint == 0) // as are all after it
			{
				oldest = &entry;
				break;
			}
			if (!entry.needed(transaction_period, watch_period) &&
				(oldest == nullptr || entry.transaction.period < oldest->transaction.period))
				oldest = &entry;
		}
		if (oldest == nullptr)
			return {nullptr, false};
		oldest->fingerprint = fingerprint;
		oldest->transaction = {};
		oldest->watch = {};
		oldest->attached = nullptr;
		oldest->settled_for = 0;
		oldest->place_generation = 0;
		return {oldest, true};
	}

	StatementEntry *begin() noexcept { return entries_; }
	StatementEntry *end() noexcept { return entries_ + size; }

private:
	StatementEntry *set_of(std::uint64_t fingerprint) noexcept { return &entries_[fingerprint % sets * ways]; }

	StatementEntry entries_[size];
};

// One period: a running transaction or a watched stretch.
struct Period
{
	std::uint32_t number; // 0: none
	std::uint32_t fingerprints;
	std::uint64_t statements;
	std::uint64_t nested;
	Tally others; // statements without a fingerprint or without room in the table

	void restart(std::uint32_t next) noexcept
	{
		number = next;
		fingerprints = 0;
		statements = nested = 0;
		others = {};
	}

	void count(PeriodTally *entry, const Tally &tally) noexcept
	{
		statements += tally.calls;
		if (entry == nullptr)
		{
			others.add(tally);
			return;
		}
		if (entry->period != number)
			*entry = {number, fingerprints++, tally};
		else
			entry->tally.add(tally);
	}
};

} // namespace remedy::observe
