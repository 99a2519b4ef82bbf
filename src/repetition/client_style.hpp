// Which client library wrote a statement, as far as its text tells.  No server headers.

#pragma once

#include <string_view>

namespace remedy::repetition {

// Names of clients as write_advice() knows them, separated by slashes where several
// write so; empty where nothing tells.  Ends with a NUL.
std::string_view client_style(std::string_view query) noexcept;

} // namespace remedy::repetition
