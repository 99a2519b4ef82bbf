// Writing into a rollup's log.
//
// Plain data.  Rows go in as they are inserted by the server's own COPY: with the log's indexes, if its owner has made
// some, but without triggers, rules and rights.

#pragma once

#include "rollup/marks.hpp"

namespace remedy::rollup {

enum class Mark : char
{
	added = 'a',
	dirty = 'd',
	range = 'r',
};

class MarkLog
{
public:
	// Null if the log is gone, or is not what create_rollup() made: then there is no rollup to be kept right.  For a
	// user's statement must not fail for it.  In the current memory context, which is to last until close().
	// A slot of its rows may be lent: most statements write one mark.
	static MarkLog *open(const Rollup &rollup, TupleTableSlot *lent = nullptr) noexcept;

	// To be lent, until the log changes.  Null if it does not fit.
	static TupleTableSlot *make_slot(const Rollup &rollup) noexcept;

	// The columns of one more row: all are null.  What is put there is to last until close().
	struct Columns
	{
		Datum *bucket, *keys, *states; // of the last, the removed extremes come after the states
		bool *null_bucket, *null_keys, *null_states;
		Datum *until;
		bool *null_until;
	};
	Columns add(Mark kind) noexcept;
	void close() noexcept;

private:
	static constexpr int batch = 64;

	void flush() noexcept;
	void insert_index_entries() noexcept;

	Relation log_;
	int keys_;
	MemoryContext memory_; // of a flush
	int count_;            // of slots filled
	int slots_;            // of slots made
	bool lent_;            // the first was not
	TupleTableSlot *slot_[batch];
};

} // namespace remedy::rollup
