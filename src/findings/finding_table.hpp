// The shared table of findings that hooks make, a fixed number of them.
//
// Locking contract.  The region holds the entries and one SingleWriter of
// BackendRows per backend.
//   - A new entry is written with the region's lock held exclusively.  That happens
//     once for each finding.  Entries are looked up without the lock: the serial
//     number is stored last, and cleared first.
//   - From then on only counts move.  A backend adds to its own rows without a
//     lock; a row names its entry by index and serial number.
//   - A unit of work that goes on has a place of its own beside the rows.  Readers count
//     it; its end adds it to a row, its rollback takes it away.  Its repeats are raised
//     outside of a change: a reader sees one more or one less.
//   - A backend's rows move into the entries with the lock held exclusively, when
//     it needs the room and when it ends.
//   - Readers hold the lock shared while they read entries and rows: they see
//     nothing twice and miss nothing.
//   - At the server's start the postmaster enters what was saved, without the lock:
//     there is no other process yet.
//   - A reset empties the entries under the exclusive lock.  Serial numbers never
//     come again, so rows of emptied entries are void by themselves.
//   - Units of work that several sessions share have places of their own; they are taken
//     and given back with the lock held exclusively, and raised by atomic stores.
//   - Whether an entry was announced is stored with the lock held shared, by the one
//     process that announces.

#pragma once

#include <algorithm>
#include <cstdint>

#include "observe/clock.hpp"
#include "observe/transaction_groups.hpp"
#include "server/headers.hpp"

namespace remedy::findings {

constexpr int qualified_name_bytes = 2 * (2 * NAMEDATALEN + 2); // quoted, every character doubled
constexpr int query_bytes = 1024;
constexpr int batched_query_bytes = 2048;

// What several units of work of one shape add up to.
struct Counts
{
	std::uint64_t units;
	std::uint64_t repeats_total;
	std::uint64_t repeats_max; // in one unit
	std::uint64_t parent_rows; // the most in one unit
	Nanoseconds server;
	Nanoseconds waiting;
	std::uint64_t bulk_units; // those that were bulk loads, which is information and no ailment
	TimestampTz last_seen;

	void add(const Counts &other) noexcept
	{
		units += other.units;
		repeats_total += other.repeats_total;
		repeats_max = std::max(repeats_max, other.repeats_max);
		parent_rows = std::max(parent_rows, other.parent_rows);
		server += other.server;
		waiting += other.waiting;
		bulk_units += other.bulk_units;
		last_seen = std::max(last_seen, other.last_seen);
	}
};

// Names are kept as text, because the reader may sit in another database.
struct Finding
{
	std::uint64_t identity;        // of the ailment and its scope; equal for equal findings
	std::uint64_t common_identity; // the same without the application and the route
	Oid user;
	Oid parent_user; // who ran the parent query
	char key[40];    // of the ailment alone, stable over restarts and dumps
	char database[NAMEDATALEN];
	char user_name[NAMEDATALEN];
	char application[NAMEDATALEN];
	char route[observe::route_bytes]; // empty: none
	char level[12];
	char kind[12];
	char direction[12];
	char client[32]; // style of the client library, as its query texts tell
	char child_table[qualified_name_bytes];
	char child_column[NAMEDATALEN];
	char parent_table[qualified_name_bytes];
	char parent_column[NAMEDATALEN];
	char child_query[query_bytes];
	char parent_query[query_bytes];
	char batched_query[batched_query_bytes]; // empty: none, or one that is longer
	float batch_share; // cost of the batch for each key, as a part of the repeated query's; 0: unknown
	TimestampTz first_seen;
	Counts counts;
};

// Names an entry for as long as it holds the same finding.
struct Handle
{
	std::uint32_t index;
	std::uint64_t serial; // 0: none
};

// From _PG_init.
void declare_finding_table() noexcept;

// Enters the finding, or finds it by its identity; its counts are not read.  One that is muted by
// then is never announced.  Of one
// ailment a few applications and routes are kept apart; those beyond share an entry, whose
// identity is the common one: names may change with each process.  False when the table is full,
// which is counted.
bool enter(const Finding &finding, Handle &handle) noexcept;

// Whether enter() would make a new entry of it.
bool is_new(const Finding &finding) noexcept;

// Whether the handle's finding is still there.
bool exists(Handle handle) noexcept;

// What is kept of the finding's batched query, empty if the finding is gone.  Without the lock.
void copy_batched_query(Handle handle, char (&to)[batched_query_bytes]) noexcept;

void reset_findings() noexcept;

struct TableStatus
{
	int used;
	int limit;
	std::uint64_t missed; // findings that found no room, counted once a unit of work
};

TableStatus table_status() noexcept;

// Calls visit(context, finding) for every finding, counts merged; the lock is not
// held meanwhile.
void read_findings(void (*visit)(void *context, const Finding &finding), void *context) noexcept;

// Grows with each finding that is entered; read without a lock.
std::uint64_t newest_finding() noexcept;

} // namespace remedy::findings
