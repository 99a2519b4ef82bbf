// What indexes add to the writes of a table, in milliseconds of the server, over the time
// in which its writes were counted.
//
// An insert, and an update that is not HOT, enter a row into every index of the table.  An
// update is HOT, and enters nothing, as long as no index has one of the columns that it
// sets; the first index that has one makes it enter a row into all of them.
//
// The constants are measured by test/bench/index_writes (PostgreSQL 15, a table of a
// million rows in memory, two cores of a shared machine), VACUUM's share included; but
// page_us, the writing of the pages that an entry dirties, is computed.  wal_bytes() tells
// more where the disk is the bottleneck.

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "index_advice/benefit_graph.hpp"

namespace remedy::index_advice {

enum class Method : std::uint8_t
{
	btree,
	hash,
	gin,
	gist, // and SP-GiST
	brin,
};

// What a row adds to an index.
struct Entry
{
	Method method;
	double bytes;         // of the key with its INCLUDE columns
	double keys;          // of GIN: elements of the array, words or trigrams of the text
	bool ascending;       // rows come in the order of the index, as by the time of creation
	double share_of_rows; // that fulfil the predicate; 1 without one
};

namespace constants {
constexpr double btree_us = 3.7;           // 3.0 to enter a random key of 4 bytes, 0.7 to remove it
constexpr double btree_ascending_us = 0.9; // 0.5 and 0.4
constexpr double byte_us = 0.035;          // 6.8 for 96 bytes
constexpr double page_us =
	40; // an entry at a random place dirties a page: 16 kB with its image in the WAL, at 400 MB/s
constexpr double hash_us = 2.6; // 1.6 and 1.0
constexpr double gin_us = 1.0;  // 11.7 for an array of 5, by way of the pending list
constexpr double gin_key_us = 2.2;
constexpr double gist_us = 10.0; // not measured: a descent with penalties, and splits
constexpr double brin_us = 0.3;
constexpr double not_hot_us = 0.5; // the row's old version waits for VACUUM
constexpr double entry_wal_bytes = 64;
} // namespace constants

// One row's, and later the removal of its entry.
constexpr double
entry_ms(const Entry &entry) noexcept
{
	using namespace constants;
	double us = brin_us;

	switch (entry.method)
	{
	case Method::btree:
		us = (entry.ascending ? btree_ascending_us : btree_us + page_us) + byte_us * entry.bytes;
		break;
	case Method::hash:
		us = hash_us + page_us;
		break;
	case Method::gin:
		us = gin_us + page_us + gin_key_us * entry.keys;
		break;
	case Method::gist:
		us = gist_us + page_us + byte_us * entry.bytes;
		break;
	case Method::brin:
		break;
	}
	return us * entry.share_of_rows / 1000;
}

// Of one row, without the images of whole pages after a checkpoint.
constexpr double
wal_bytes(const Entry &entry) noexcept
{
	if (entry.method == Method::brin)
		return 0;
	return entry.share_of_rows * std::max(entry.keys, 1.0) * (constants::entry_wal_bytes + entry.bytes);
}

constexpr int update_kinds = 64;

struct TableWrites
{
	double entered;           // inserts, and updates that are not HOT as it is
	double hot[update_kinds]; // HOT updates, by the set of columns that they set
	int kinds;
	double existing_ms; // for a row's entries in all the indexes that there are

	// The bit of these updates in a set of lost ones.  The last kind is everything else.
	Set add_hot(double updates) noexcept
	{
		if (kinds < update_kinds)
			++kinds;
		hot[kinds - 1] += updates;
		return only(kinds - 1);
	}

	double hot_among(Set lost) const noexcept
	{
		double updates = 0;

		for (; lost != 0; lost &= lost - 1)
			updates += hot[std::countr_zero(lost)];
		return updates;
	}

	// For further indexes, which take so long for a row and with which the updates of these
	// kinds are no longer HOT.
	double charge_ms(double added_ms, Set lost) const noexcept
	{
		const double no_longer_hot = hot_among(lost);

		return added_ms * (entered + no_longer_hot) + no_longer_hot * (existing_ms + constants::not_hot_us / 1000);
	}
};

// How many updates of a statement are HOT: none if it sets a column of an index, else the
// share of the table's updates that could be.  The numbers are the table's statistics.
constexpr double
hot_updates(double updates, bool sets_indexed, double table_hot, double table_could_be_hot) noexcept
{
	if (sets_indexed || table_could_be_hot <= 0)
		return 0;
	return updates * std::min(1.0, table_hot / table_could_be_hot);
}

// So many writes for each read are one too many for the index.
constexpr double
break_even(double saving_ms, double reads, double charge_ms, double writes) noexcept
{
	if (reads <= 0 || charge_ms <= 0)
		return 0; // there is no such number
	return saving_ms / reads * writes / charge_ms;
}

} // namespace remedy::index_advice
