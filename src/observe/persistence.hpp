// Statistics outlive the server: a file that holds what the rooms give it.
//
// Each room that has something to keep declares a section.  Saving writes all
// sections to a new file and renames it; loading, at the server's start, takes a
// file only if it is whole, of this cluster, and of this server's and library's
// layout.  Otherwise the server starts with nothing, after one line in its log.
//
// The file stays where it is after loading: shared memory that a crash emptied is
// filled from it again.

#pragma once

#include "observe/statistics_file.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

struct Section
{
	const char *name;     // unique; shorter than 32 bytes
	std::uint32_t layout; // changes whenever its records' bytes change their meaning
	// Writes what there is.  May raise an error: then nothing is saved.  The locks it
	// takes are free: a save that waits for the disk holds none but its own.
	void (*save)(RecordWriter &writer);
	// Takes one record back, not aligned; false if it makes no sense or finds no room,
	// which is counted and passed over.  Runs in the postmaster, before there is any
	// other process: it raises no error and takes no lock.
	bool (*load)(const char *record, Size bytes);
};

// From _PG_init; sections live as long as the process.
void declare_section(const Section &section) noexcept;

// From _PG_init, in the room's start().
void declare_persistence() noexcept;

// Writes the file, in a process of the server's own, inside a transaction.  False,
// after one line in the log, if that was not possible; the old file stays then.
// Raises no error but a cancel.  Not in parallel mode.
bool save_statistics() noexcept;

// Has the background worker save soon, unless pg_remedy.save is off: what was forgotten
// must not come back after a crash.
void ask_for_save() noexcept;

// Whether that was asked for since the last time; for the worker.
bool save_is_asked_for() noexcept;

struct SavedStatus
{
	TimestampTz saved_at;   // of the file that is there, as far as is known; 0: none
	std::int64_t loaded;    // records taken back at the server's start
	std::int64_t not_taken; // records that were in the file and could not be
};

SavedStatus saved_status() noexcept;

} // namespace remedy::observe
