// What one backend tells of itself: each run of a statement is an entry in its journal,
// and everything that is counted is derived from the entries.  No server headers.
//
// Locking contract.  The backend alone appends entries, names and groups, and says that
// its transaction ended, without a lock: an entry is complete before `written` counts
// it.  Whoever holds the lock of the statistics exclusively may fold any backend's
// journal, which moves `folded` on (folding.hpp).  Only the backend itself empties its
// journal, with that lock held.

#pragma once

#include <atomic>
#include <cstdint>

#include "observe/new_texts.hpp"
#include "observe/statement_counts.hpp"
#include "observe/transaction_groups.hpp"

namespace remedy::observe {

// A run of a statement.
struct Entry
{
	Nanoseconds execution;
	Nanoseconds ended;
	Nanoseconds waiting; // for the client, inside the transaction
	std::uint64_t what;  // rows above, the bits below

	static constexpr std::uint64_t place_mask = 0x3ff; // of the statement's name
	static constexpr unsigned group_shift = 10;
	static constexpr std::uint64_t group_mask = 0x7;
	static constexpr std::uint64_t begins = 1u << 13;  // the first one of a transaction
	static constexpr std::uint64_t further = 1u << 14; // of a statement that is counted already
	static constexpr std::uint64_t failed = 1u << 15;
	static constexpr std::uint64_t nested = 1u << 16; // in another statement; no part of the transaction's sums
	static constexpr unsigned row_shift = 17;

	unsigned place() const noexcept { return static_cast<unsigned>(what & place_mask); }
	unsigned group() const noexcept { return static_cast<unsigned>(what >> group_shift & group_mask); }
	bool is(std::uint64_t flag) const noexcept { return (what & flag) != 0; }
	std::uint64_t rows() const noexcept { return what >> row_shift; }
};

struct StatementName
{
	std::uint64_t fingerprint;
	std::uint32_t user; // 0: free
	std::uint32_t nested;
};

struct Journal
{
	static constexpr unsigned names_limit = 512;
	static constexpr unsigned others = names_limit;     // the place of statements that found none
	static constexpr unsigned inside = names_limit + 1; // no statement: rows of them ran inside others
	static constexpr unsigned probes = 8;
	static constexpr unsigned groups_limit = Entry::group_mask + 1;
	static constexpr unsigned limit = 1536;
	static constexpr unsigned worth_folding = 1024;
	static constexpr std::uint32_t never = UINT32_MAX;

	bool attached;
	std::uint32_t database;
	std::atomic<std::uint32_t> written;
	std::atomic<std::uint32_t> complete; // `written` when the last transaction ended; never: it goes on, or none began

	// What is folded already; of who holds the lock.
	std::uint32_t folded;
	std::uint8_t group;       // of the transaction that has not ended yet, as far as folds know
	std::uint64_t statements; // in it
	bool seen[names_limit];   // entries of these names were folded since it was emptied

	StatementName names[names_limit];
	NewTexts texts; // of some of them
	GroupKey groups[groups_limit];
	Entry entries[limit];

	StatementKey key(unsigned place) const noexcept
	{
		const StatementName &name = names[place];
		return {name.fingerprint, database, name.user, name.nested, 0};
	}

	bool is_free(unsigned place) const noexcept { return place < names_limit && names[place].user == 0; }

	bool is_name_of(unsigned place, std::uint64_t fingerprint, std::uint32_t user, bool nested) const noexcept
	{
		const StatementName &name = names[place];
		return name.fingerprint == fingerprint && name.user == user && name.nested == nested;
	}

	// The place of a key, or the free one it may take; others if there is neither.
	unsigned find(const StatementKey &key) const noexcept
	{
		const unsigned home = static_cast<unsigned>(key.hash());
		for (unsigned i = 0; i < probes; ++i)
		{
			const unsigned place = (home + i) % names_limit;
			if (is_free(place) || is_name_of(place, key.fingerprint, key.user, key.nested))
				return place;
		}
		return others;
	}

	// The next entry; there is room for it.
	void append(const Entry &entry) noexcept { write(written.load(std::memory_order_relaxed), entry); }

	void write(std::uint32_t number, const Entry &entry) noexcept
	{
		entries[number] = entry;
		written.store(number + 1, std::memory_order_release);
	}

	// Everything is folded.
	void empty(bool forget_names, bool forget_groups) noexcept
	{
		folded = 0;
		texts.empty();
		complete.store(never, std::memory_order_relaxed);
		written.store(0, std::memory_order_relaxed);
		std::memset(seen, 0, sizeof(seen));
		if (forget_names)
			std::memset(static_cast<void *>(names), 0, sizeof(names));
		if (forget_groups)
			std::memset(static_cast<void *>(groups), 0, sizeof(groups));
	}
};

static_assert(Journal::inside <= Entry::place_mask);

} // namespace remedy::observe
