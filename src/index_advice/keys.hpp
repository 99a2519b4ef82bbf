// What of a table can be a key of an index, and how it is written there.

#pragma once

#include "index_advice/definition.hpp"
#include "server/headers.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace remedy::index_advice {

// A table whose texts are being written.
struct Table
{
	Oid relation;
	const char *name; // qualified
	List *deparsing;
	bool partitioned;
};

Table table_of(Relation relation) noexcept;

// Until it is left, texts mean the same in every session: all outside of pg_catalog is named
// with its schema, and dates are written in one style.  An error leaves the settings to the
// end of the (sub)transaction.
class PortableTexts
{
public:
	PortableTexts() noexcept;
	void leave() noexcept;

private:
	int settings_;
};

// An expression of the table's columns, whose number is 1, as a condition or a key has it.
const char *condition_text(const Table &table, Node *expression) noexcept;

// Conditions that all hold for each row of an index, as its predicate; equal for equal sets
// of them, empty for none.
const char *predicate_text(const Table &table, const List *conditions) noexcept;

// A column, or else an expression, which must be immutable.  The operator class may be null,
// the collation is that of the comparison.
Part part_of(const Table &table, Node *key, const char *opclass, Oid collation) noexcept;

Include include_of(const Table &table, AttrNumber column) noexcept;

// Without what changes neither bytes nor order.
Node *without_relabelling(Node *node) noexcept;

// Why no index can be made on the expression; null: it can.
const char *reason_against(const Table &table, Node *expression) noexcept;

} // namespace remedy::index_advice
