// A document as the other type, as the server's own cast does it: through its text.

#pragma once

#include "server/headers.hpp"

namespace remedy::jsonb_migration {

// From json to jsonb, or back.  The result is in that memory context; what is needed on the
// way stays in the current one.  Raises jsonb's error where it refuses the document.
Datum convert(Datum document, Oid from_type, MemoryContext memory) noexcept;

// Whether two values are the same bytes, without looking at what is stored elsewhere: then
// the documents are the same.  Otherwise they may be, too.
bool same_bytes(Datum left, Datum right) noexcept;

} // namespace remedy::jsonb_migration
