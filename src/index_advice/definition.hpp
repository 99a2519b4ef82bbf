// What an index is, in the words of the statement that creates it.
//
// Plain data: texts belong to whoever made the definition.  Texts are written as CREATE
// INDEX has them, quoted and qualified where need be, so two definitions are the same
// index exactly if their texts are equal.
//
// The first parts may be *free*: the statement compares them for equality, so any order
// of them serves it.  That is what lets the indexes of two statements become one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace remedy::index_advice {

inline constexpr int parts_of_index = 8;
inline constexpr int includes_of_index = 16;

struct Part
{
	std::string_view text;      // a quoted column, a call or an (expression)
	int column;                 // its number, 0 for an expression
	std::string_view opclass;   // empty: the default one
	std::string_view collation; // empty: the column's own
	bool descending;
	bool nulls_first;
};

struct Include
{
	int column;
	std::string_view text;
};

struct Definition
{
	std::uint32_t relation;
	std::string_view table;  // qualified
	std::string_view method; // "btree", …
	Part parts[parts_of_index];
	int part_count;
	int free_parts; // so many first parts may stand in any order
	Include includes[includes_of_index];
	int include_count;
	std::string_view predicate; // empty: every row is in the index
	bool partitioned;           // the table is a parent of partitions
};

// Whether both are the same index, whatever the order of the included columns.
bool same(const Definition &a, const Definition &b) noexcept;

// Whether b begins with a and holds all columns of it: what a serves in its very order, b
// does.  An index can be read backwards, so it may also begin with the opposite of a.
bool is_prefix(const Definition &a, const Definition &b) noexcept;

// Whether the index does what is wanted, in an order of the free parts of its choice.
bool serves(const Definition &index, const Definition &wanted) noexcept;

// One index that serves both, if there is one; out may be one of them.  For B-trees: the
// free parts of one come first, then its others, and these must be among the free parts of
// the other, or follow these in the other's order; so (a) and (b, a), both free, become
// (a, b), and (a) with an order by c takes in (a, c, d).  Included columns are united.
// Other methods: only of the same parts.
bool merge(const Definition &a, const Definition &b, Definition &out) noexcept;

// CREATE INDEX …, without a name, so that the server finds a free one.  CONCURRENTLY is
// left out for partitioned tables, which do not allow it.  Returns the length; the text
// is cut to the size, and ends with a zero, like snprintf's.
std::size_t write_ddl(const Definition &definition, bool concurrently, char *text, std::size_t size) noexcept;

} // namespace remedy::index_advice
