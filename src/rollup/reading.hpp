// One key or measure as its user wrote it: read by the server's grammar, analysed against the source.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "parser/parse_node.h"
}

namespace remedy::rollup {

// While one is in scope (from begin() to end()), errors tell of the text in which they were found.
class Reading
{
public:
	Reading(const char *what, const char *text) noexcept : what_(what), text_(text) {}

	void begin() noexcept;
	void end() noexcept; // an error's handler does the same

	// "expression [AS name]", and nothing else of a SELECT's clauses; a copy is the caller's.
	const ResTarget *read() noexcept;

	// Of `raw`, over the source as Var number 1, as an item of a SELECT's list is.  Sub-queries, window functions, set-
	// returning functions, and unless it is to be one, aggregates are refused.
	Node *analyse(Relation source, const Node *raw, bool aggregate) const noexcept;

	// A name, which a column of the user's own views gets.
	const char *text() const noexcept { return text_; }

private:
	static void tell(void *reading) noexcept;

	const char *what_;
	const char *text_;
	const char *statement_ = nullptr;
	ErrorContextCallback context_ = {};
};

// What can be kept of each row: immutable, of columns of the source, and of a type and collation that a column can
// have.  `name` is the expression's in errors.
void check_row_expression(const Node *expression, const char *name) noexcept;

// Besides: rows can be grouped by it, with hashing too.
void check_key(const Node *expression, const char *name) noexcept;

// As the server would name it in a SELECT's list.
const char *usual_name(const Node *raw) noexcept;

} // namespace remedy::rollup
