// A sample of a table's rows, with their documents converted and stored, but not written.
//
// Blocks are visited in an order that may end anywhere and was even until then, the same one each time; so
// time decides how many, half a second at most.  Functions of the user's do not run.

#pragma once

#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

// Pages as the server fills them, one after the other.
struct Packing
{
	double bytes; // of tuples, with their line pointers
	double pages;
	double room; // on the last one

	void add(Size tuple, Size kept_free) noexcept;
};

// Rows of one kind.
struct Stored
{
	Packing heap;
	Packing toast;
	double compress_seconds;
};

// Sums over the sampled rows; of documents that jsonb refuses there are none in the others.
struct DocumentSample
{
	double pages; // of all leaves together
	double toast_pages;
	double pages_seen;
	int rows;
	int documents; // that are not null
	int refused;
	double json_bytes; // as stored, wherever that is
	double jsonb_bytes;
	double text_bytes;
	double convert_seconds; // from what is stored to jsonb, on a processor of its own
	double row_seconds;     // all that was done with rows, as the clock has it
	double processor_seconds;
	Stored now;
	Stored both;  // json and jsonb in one row; its toast is what is added
	Stored jsonb; // jsonb instead of json
};

// How much longer things take than they need the processor, because others do or the disk is slow.
double busyness(const DocumentSample &sample) noexcept;

DocumentSample sample_documents(const List *leaves) noexcept; // of Leaf *

// The time that a processor takes for a certain document, to what it took on the machine on which the constants of
// estimate_model were measured.
double slowness() noexcept;

} // namespace remedy::jsonb_migration
