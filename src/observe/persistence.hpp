// Statistics outlive the server: a file that holds what the rooms give it.
//
// Each room that has something to keep declares a section.  Saving writes all
// sections to a new file and renames it; loading, at the server's start, takes a
// file only if it is whole, of this cluster, and of this server's and library's
// layout.  Otherwise the server starts with nothing, after one line in its log.

#pragma once

#include "server/headers.hpp"

namespace remedy::observe {

// Takes the records of a section, in order.
class RecordWriter
{
public:
	virtual void put(const void *record, Size bytes) noexcept = 0;

protected:
	~RecordWriter() = default;
};

struct Section
{
	const char *name;     // unique; shorter than 32 bytes
	std::uint32_t layout; // changes whenever its records' bytes change their meaning
	// Writes what there is.  May raise an error: then nothing is saved.
	void (*save)(RecordWriter &writer);
	// Takes one record back; false if it makes no sense, which is counted and passed
	// over.  Runs in the postmaster, before there is any other process: it raises no
	// error and takes no lock.
	bool (*load)(const char *record, Size bytes);
};

// From _PG_init; sections live as long as the process.
void declare_section(const Section &section) noexcept;

// Writes the file, in a process of the server's own, inside a transaction.  False,
// after one line in the log, if that was not possible; the old file stays then.
bool save_statistics() noexcept;

// Takes the file back, once, after the regions of shared memory have their places.
void load_statistics() noexcept;

} // namespace remedy::observe
