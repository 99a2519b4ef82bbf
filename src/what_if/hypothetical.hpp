// A hypothetical index as the room knows it.

#pragma once

#include "server/planner_hooks.hpp"
#include "what_if/index_size.hpp"
#include "what_if/sampling.hpp"
#include "what_if/what_if.hpp"

namespace remedy::what_if {

// A column of the index, key or included.
struct Column
{
	AttrNumber number; // the table's; 0: an expression
	Oid type;
	int32 modifier;
	Oid collation;
	Oid family;
	Oid input;    // what the operator class takes
	Oid stored;   // what it stores
	int16 order;  // as in pg_index.indoption
	bool returns; // its values, to an index-only scan
};

// What the index is on one table or partition.
struct Extent
{
	Oid relation;
	double tuples;
	double share; // of the relation's rows that the predicate keeps
	BlockNumber pages;
	int height;            // of a btree; else -1
	InvertedSize inverted; // of GIN
};

struct Options
{
	int fill_factor;
	bool deduplicates;
	BlockNumber pages_per_range;
};

struct Hypothetical
{
	MemoryContext memory;
	Oid oid; // of no relation
	Oid relation;
	bool partitioned;
	const char *name;
	Oid tablespace;
	Oid method;
	const IndexAmRoutine *routine;
	Options options;
	bool unique;
	bool equal_nulls;
	int column_count;
	int key_count;
	Column columns[INDEX_MAX_KEYS];
	List *expressions;    // of the table as number 1
	List *predicate;      // likewise; NIL: all rows
	const Sample *sample; // of the expressions and of what GIN would hold; null: not taken
	mutable List *extents;
};

// The keys and included columns, which it checks as CREATE INDEX does.
void add_columns(Hypothetical &index, const IndexStmt *statement, Relation table) noexcept;

void check_immutable(Node *tree, const char *where) noexcept;

// Whether the current user may know what is in these columns, as pull_varattnos numbers them.
bool may_read(Oid relation, const Bitmapset *columns) noexcept;

// The table is the index's or one of its partitions, and open.
const Extent &extent_on(const Hypothetical &index, Relation relation) noexcept;

// The table, or all its partitions that hold rows, which are locked.
List *relations_of(const Hypothetical &index) noexcept;

// The number there of a column; 0 of an expression.
AttrNumber column_on(const Hypothetical &index, int column, Relation relation) noexcept;

// A tree over the index's table for one of its partitions; null if it cannot be translated.
Node *translate(const Hypothetical &index, const void *tree, Relation relation) noexcept;

// The one of this oid that the planner, which is running, was told of.
const Hypothetical *planned_index(Oid oid) noexcept;

server::CostEstimator cost_estimator(const Hypothetical &index) noexcept;

} // namespace remedy::what_if
