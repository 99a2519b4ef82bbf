// Query texts: a statement's own part of what the client sent, and its form
// without constants.

#pragma once

#include "observe/statement_table.hpp"
#include "observe/text_store.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

// Longest raw text that is kept of a statement; longer ones are cut.
constexpr int raw_text_bytes = 4096;

struct TextPart
{
	const char *start;
	int length;
};

// The part of a source text that belongs to the statement at location, without
// the white space around it; a location below 0 or a length of 0 mean what they
// mean in PlannedStmt.
TextPart own_part(const char *source, int location, int length) noexcept;

// A copy of the part, of the types of the parameters it was run with and of the search
// path, in the given context; cut at a character's end, unknown when memory is short.  Raises no error: a
// hook may call it.
RawText copy_text(TextPart part, ParamListInfo parameters, MemoryContext context) noexcept;

// What a store of texts has to know of it, and how long it is with its search path.
TextTraits traits_of(const RawText &text) noexcept;
std::uint32_t length_of(const RawText &text) noexcept;

// Whether standard_conforming_strings was off at any analysis in this session.  What
// is read from then on may have been parsed before, in either way.
extern bool old_strings_seen;

// At each analysis, first thing.
inline void
note_string_style() noexcept
{
	if (unlikely(!standard_conforming_strings))
		old_strings_seen = true;
}

// The text with every literal replaced by $n, numbered after the parameters it
// has, comments left out and white space as it was.  A text that was cut, that the
// server's lexer refuses, or whose strings might end elsewhere, ends with three dots,
// before the token in question.  Null for an unknown text.  The result lies in the
// current memory context, and is in the encoding of the text, which need not be this
// database's.  Raises no error but a lack of memory, and gives no notice; wherever
// attempt_in_memory() may be used.
char *normalised(const RawText &text) noexcept;

} // namespace remedy::observe
