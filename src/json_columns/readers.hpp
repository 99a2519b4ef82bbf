// Who reads or writes a json column in ways that the catalogs' dependencies do not show.

#pragma once

#include "server/headers.hpp"

namespace remedy::json_columns {

struct Reader
{
	const char *object; // function public.f(integer), or statement <query id>
	const char *what;   // one sentence: it calls json_array_length on it, it inserts without a list of columns, …
};

// Functions whose body is a text (it names the column or the table, and json functions, casts,
// NEW.*, INSERT or COPY without columns, SELECT *), and statements that were observed.  A guess
// that errs to too many.
List *find_readers(Oid table, const char *column_name) noexcept; // of Reader *

} // namespace remedy::json_columns
