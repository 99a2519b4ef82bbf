// Plan texts without the values in them.
//
// A plan's text is no SQL, so the server's lexer is no help: names of CTEs and of
// arbiter indexes stand in it unquoted, and one apostrophe in them would make it take
// values for text and text for values.  Therefore quotes may span lines inside
// parentheses only, where conditions are.  An open quote elsewhere hides the rest of
// the line if such a name stands there, otherwise the rest of the plan.

#pragma once

#include <cstddef>
#include <string_view>

namespace remedy::plans {

// How the text's string literals are to be read.
enum class Strings
{
	standard,
	with_backslashes, // standard_conforming_strings was off
};

// Puts the text with ? for every string, bit string and number into out, which has
// room for as many bytes as the text, and gives the length.  Numbers of subplans and
// workers stay, and so do parameters, true, false and NULL.  The text may be cut
// anywhere.
std::size_t mask_values(std::string_view text, Strings strings, char *out) noexcept;

// The same for the shape of the plan, which is equal for plans that differ in values
// alone: numbers and parameters go as well, and so do a value's type and its further
// neighbours in a list.
std::size_t mask_shape(std::string_view text, Strings strings, char *out) noexcept;

} // namespace remedy::plans
