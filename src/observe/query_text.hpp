// Query texts: a statement's own part of what the client sent, and its form
// without constants.

#pragma once

#include "observe/statement_table.hpp"
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

// A copy of the part, and of the types of the parameters it was run with, in the given
// context; cut at a character's end, unknown when memory is short.  Raises no error: a
// hook may call it.
RawText copy_text(TextPart part, ParamListInfo parameters, MemoryContext context) noexcept;

// The text with every literal replaced by $n, numbered after the parameters it
// has, comments left out and white space as it was.  A text that was cut, or that
// the server's lexer refuses, ends with three dots, before the token in question.
// Null for an unknown text.  The result lies in the current memory context.
// Raises no error but a cancel.  Not in parallel mode.
char *normalised(const RawText &text) noexcept;

} // namespace remedy::observe
