// Counts of scans in shared memory.
//
// Locking contract.  The region holds the store (entries.hpp) and one SingleWriter
// of BackendScans per backend, parallel workers included.
//   - A backend adds to its own entries without a lock.
//   - When these are nearly all used, or when the backend ends, they are folded: moved
//     into the store, with the region's lock held exclusively.  In a statement the
//     lock is only tried; where it is busy and no entry is free, volumes are counted
//     with the backend's others.
//   - Readers hold the lock shared while they copy the store and add every backend's
//     entries: they see nothing twice and miss nothing.
//   - A reset of everything holds the lock exclusively, empties the store and raises
//     its generation; each backend empties its own entries when it next adds to them,
//     and readers skip entries of another generation until then.
//   - A reset of a part holds the lock exclusively, drops what the store has of it and
//     takes from the store what the backends' entries have of it now.  These counts
//     come later and make up for it, modulo 2^64.

#pragma once

#include "scans/entries.hpp"
#include "server/headers.hpp"

namespace remedy::scans {

// From _PG_init.
void declare_scan_table() noexcept;

// A statement, whose counts these are.
struct Owner
{
	std::uint64_t fingerprint;
	bool toplevel;
};

// Tells this process's parallel workers whose the query of this text is.
void tell_parallel_owner(const char *text, Owner owner) noexcept;

// In a parallel worker: what its leader told of the query.  False if it did not.
bool find_parallel_owner(const char *text, Owner &owner) noexcept;

// Both add in any process that may have counts of its own.  They never wait.
void add_volume(Owner owner, Oid relation, std::uint64_t scans, std::uint64_t rows) noexcept;
void add_samples(const Subject &subject, const Conditions &conditions, const Counts &counts) noexcept;

// For the current user.
inline Subject
subject_of(Oid relation, Owner owner, Method method) noexcept
{
	return {owner.fingerprint, MyDatabaseId, GetUserId(), relation, owner.toplevel, method, {}};
}

// Volume that gets no entry; missed if it should have had one.
void add_others(const Others &others) noexcept;

void reset_scans() noexcept;

// What is 0 is not restricted.
void reset_scans_of(Oid database, Oid user, std::uint64_t fingerprint) noexcept;

struct TableStatus
{
	int used; // in the store
	int limit;
	std::uint64_t missed;
};

TableStatus table_status() noexcept;

struct Contents
{
	Entry *entries; // those that have counts, by fingerprint; of one statement and relation
					// side by side, the volume first
	int count;
	Others others;
};

// In the current memory context; the lock is not held any more.
Contents read_scans() noexcept;

} // namespace remedy::scans
