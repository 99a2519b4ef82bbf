// Patterns for LIKE, made of a piece of a text.  No server headers; texts are UTF-8, or
// of one byte a character.

#pragma once

#include <cstddef>
#include <string_view>

namespace remedy::index_advice {

// At most so many characters from the character at a place on, up to what a pattern or a regular
// expression would take for something else.
inline std::string_view
piece_of(std::string_view text, std::size_t place, std::size_t characters) noexcept
{
	const auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
	const auto is_plain = [](char byte) {
		return static_cast<unsigned char>(byte) >= 0x80 || (byte >= '0' && byte <= '9') ||
			   (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == ' ' || byte == '@' ||
			   byte == '-' || byte == '/' || byte == ':';
	};
	std::size_t start = 0, end = 0;

	for (; start < text.size() && place > 0; --place)
		while (++start < text.size() && !begins(text[start]))
			;
	while (start < text.size() && !is_plain(text[start]))
		++start;
	for (end = start; end < text.size() && characters > 0 && is_plain(text[end]); --characters)
		while (++end < text.size() && !begins(text[end]))
			;
	return text.substr(start, end - start);
}

// Whether anything may stand before, or after, what the pattern looks for.
struct Wildcards
{
	bool before;
	bool after;
};

inline Wildcards
wildcards_of(std::string_view pattern) noexcept
{
	return {!pattern.empty() && pattern.front() == '%', !pattern.empty() && pattern.back() == '%'};
}

} // namespace remedy::index_advice
