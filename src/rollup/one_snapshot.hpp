// Statements that all see the same snapshot.
//
// Readers are plain SELECTs, which may run parallel; they see nothing that was written since begin().  Writers see what
// those before them have written.  What readers give can be a table of writers, under a name.
//
// Plain data; for functions that own nothing with a destructor.  An error's (sub)transaction cleans up.

#pragma once

#include "rollup/definition.hpp"
#include "server/keeper.hpp"

namespace remedy::rollup {

class Parameters
{
public:
	// Gives its place in the text: "$1".
	const char *add(Oid type, Datum value) noexcept;

	ParamListInfo list() const noexcept; // null if there are none
	int count() const noexcept { return count_; }
	const Oid *types() const noexcept { return types_; }
	const Datum *values() const noexcept { return values_; }

private:
	static constexpr int limit = 1024;

	int count_ = 0;
	Oid types_[limit];
	Datum values_[limit];
};

// The rows of a reader, until its snapshot ends.
struct Result
{
	Tuplestorestate *rows;
	TupleDesc columns;

	int64 count() const noexcept;

	template <class Read>
	void each(Read &&read) const noexcept
	{
		TupleTableSlot *const row = MakeSingleTupleTableSlot(columns, &TTSOpsMinimalTuple);

		tuplestore_rescan(rows);
		while (tuplestore_gettupleslot(rows, true, false, row))
			read(row);
		ExecDropSingleTupleTableSlot(row);
	}
};

class OneSnapshot
{
public:
	// What was committed before is seen, and what this transaction has done.  Until end() memory that is allocated is
	// this one's.
	void begin() noexcept;
	void end() noexcept;

	// What the planner thinks that a reader costs, in its units.
	double cost_of(const char *statement, const Parameters &parameters) const noexcept;

	// The columns must be of the types given.
	Result read(const char *statement, const Parameters &parameters, TupleDesc columns) noexcept;

	// One row at most; its values are copied.  False if there is none.
	bool read_one(const char *statement, const Parameters &parameters, Datum *values, bool *nulls) noexcept;

	// Rows of what can stand in FROM.
	int64 count(const char *what) noexcept;

	void give_name(const char *name, const Result &result) noexcept;

	// The number of rows that were written.
	int64 write(const char *statement, const Parameters &parameters = {}) noexcept;

private:
	void run(const char *statement, const Parameters &parameters, DestReceiver *receiver) noexcept;

	Snapshot snapshot_;
	List *stores_; // of Tuplestorestate *
};

} // namespace remedy::rollup
