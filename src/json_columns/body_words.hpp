// What a text of SQL does with a column, told by its words alone: for bodies of functions,
// which nobody but their language can read.  Errs to too many.  No server headers.
//
// Comments are skipped; what stands in strings is read too, because EXECUTE may run it.

#pragma once

#include <string_view>

namespace remedy::json_columns {

struct Signs
{
	bool column;               // its name stands there
	bool table;                // the table's
	bool insert;               // INSERT into the table without a list of columns
	bool copy;                 // COPY of it without one
	bool star;                 // SELECT *, or a whole row: x.*
	bool row;                  // NEW.* or OLD.*, or either as a whole
	bool declares;             // the word json: a cast, a variable, a parameter
	bool text;                 // compares or hashes a text: LIKE, md5, ::text
	std::string_view function; // the first json_x that is called; empty: none
};

// Names as the catalogs have them, unquoted.
Signs read_signs(std::string_view body, std::string_view table, std::string_view column) noexcept;

} // namespace remedy::json_columns
