// What to do about a finding, in the words of the client library that made the
// statements.  No server headers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace remedy::repetition {

struct Ailment
{
	std::string_view kind;      // select, lookup, count, exists, write, duplicate, server_loop
	std::string_view direction; // N:1, 1:N, same, write
	std::string_view client;    // as client_style() tells
	std::string_view child_table;
	std::string_view child_column; // may be empty
	std::string_view parent_table; // may be empty
};

constexpr std::size_t advice_bytes = 1280;
constexpr std::size_t title_bytes = 768;

// Writes one sentence, cut to the buffer's size and ended with a NUL.
void write_advice(const Ailment &ailment, char *buffer, std::size_t size) noexcept;

// The same of what happened, without a full stop.
void write_title(const Ailment &ailment, std::uint64_t repeats, char *buffer, std::size_t size) noexcept;

} // namespace remedy::repetition
