// What a rollup is, and where it lives.
//
// A rollup of the table `events` named `daily` is five relations beside it, all of the source's owner:
//
//   daily_rows   view: what is taken of each row of the source, in columns with numbers: time, bucket, k1… (keys),
//                v1… (arguments of measures), f1… (conditions of FILTER).  It is the one place where the definition's
//                expressions are kept, so the server itself follows renamed columns, refuses to change or drop those
//                that are used, and dumps it.
//   daily_cells  table: bucket, k1…, s1… (states).  One row for each group of the source's rows as of the last refresh;
//                s1 is always count(*).  An index on (bucket) and no unique one: keys may be wide, or only hashable.
//   daily_marks  table, no index: what happened since, see marks.hpp.
//   daily        view: bucket, keys and finished measures under the user's names, over the cells.
//   daily_now    view: the same, exact in every snapshot.
//
// A state is what can be merged: avg() is finished from a count and a sum.  A level is a rollup whose base is a finer
// one: it is two views over the base's, and has neither cells nor marks.

#pragma once

#include "server/headers.hpp"

namespace remedy::rollup {

enum class Unit : char
{
	minute,
	hour,
	day,
	week,
	month,
	quarter,
	year,
};

const char *name_of(Unit unit) noexcept;
bool find_unit(const char *name, Unit &unit) noexcept;

// As written into remedy.rollup.states: "<letter> <value> <filter>", 0 for none.
enum class StateKind : char
{
	count = 'n',     // rows; of a value, those where it is not null
	sum = 's',       // bigint for smallint and integer, numeric for bigint and numeric, as the server's sum()
	squares = 'q',   // sum of squares, numeric: of exact types
	least = 'l',     // min()
	greatest = 'g',  // max()
	spread = 'f',    // sum of squared distances from the mean: of floating-point types
	histogram = 'h', // remedy.histogram(), bytea
	digest = 't',    // the extension tdigest's
	distinct = 'd',  // the extension hll's
};

struct State
{
	StateKind kind;
	int value;  // of v1…; 0: of the row itself
	int filter; // of f1…; 0: all rows
	Oid type;   // of the state
	Oid value_type;
	Oid collation;
	// Whether what statements add and take away can be added to it without a look at the source: counts, sums and
	// squares of exact types, histograms; least and greatest of the server's own types, as long as what is taken away
	// does not touch them.
	bool additive;
};

bool is_additive(StateKind kind, Oid value_type) noexcept;

inline bool
is_extreme(const State &state) noexcept
{
	return state.kind == StateKind::least || state.kind == StateKind::greatest;
}

inline bool
is_integer(Oid type) noexcept
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

// Whose sums are the same in any order.
inline bool
is_exact(Oid type) noexcept
{
	return is_integer(type) || type == NUMERICOID;
}

inline bool
is_floating(Oid type) noexcept
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

struct Rollup
{
	Oid view;
	Oid source;
	Oid base; // of a level: the finer rollup's view; then rows, cells, marks and states are the base's
	Oid rows;
	Oid cells;
	Oid marks;
	Oid now;
	Oid owner;             // the source's
	Unit unit;             // of a level, its own
	const char *time_zone; // null if the time has none: timestamp, date
	Oid time_type;         // of the time column, and so of bucket: timestamptz, timestamp or date
	int keys;
	int values;
	int filters;
	int states;
	State *state;  // [0] is s1
	bool additive; // all states are: statements then write what they add (marks.hpp)
};

// In the current memory context; from the catalogs alone, without SPI, so also from a trigger.  Null if it is none.
const Rollup *load_rollup(Oid view) noexcept;

// Those that have cells of their own: no levels.  Quick if there is none at all.
List *rollups_of(Oid source) noexcept; // of const Rollup *

// The columns of the view daily_rows, in their order, as expressions over the source (Var number 1).
List *row_expressions(const Rollup &rollup) noexcept; // of TargetEntry *

// For a function's argument: by its text, as the server would look up a relation.  Raises an error
// if it is no rollup, or none of the caller's.
const Rollup *find_own_rollup(const char *name) noexcept;

// The source and all below it, the source first.  (The server's find_all_inheritors() locks only what is below.)
List *lock_tree(Oid source, LOCKMODE lock) noexcept;

// Runs a body as the source's owner, restricted as the server's own maintenance commands are, and with
// search_path = pg_catalog, pg_temp.
class AsOwner
{
public:
	explicit AsOwner(const Rollup &rollup) noexcept : AsOwner(rollup.owner) {}
	explicit AsOwner(Oid role) noexcept;

	// Not a destructor: an error's (sub)transaction brings the user back.
	void end() noexcept;

private:
	Oid user_;
	int security_;
	int settings_;
};

} // namespace remedy::rollup
