// What to do about a finding, in the words of the client library that made the
// statements.  No server headers.

#pragma once

#include <cstddef>
#include <string_view>

#include "repetition/shapes.hpp"

namespace remedy::repetition {

// "sqlalchemy" or "django" where the text of a statement tells, otherwise "".
std::string_view client_style(std::string_view query) noexcept;

struct Ailment
{
	std::string_view kind;      // select, count, exists
	std::string_view direction; // N:1, 1:N
	std::string_view client;
	std::string_view child_table;
	std::string_view child_column;
	std::string_view parent_table;
};

// Writes one sentence, cut to the buffer's size and ended with a NUL.
void write_advice(const Ailment &ailment, char *buffer, std::size_t size) noexcept;

} // namespace remedy::repetition
