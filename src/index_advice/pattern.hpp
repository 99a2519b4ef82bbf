// What people search texts for: a piece of one.  No server headers; texts are UTF-8, or of
// one byte a character.

#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace remedy::index_advice {

namespace detail {

inline bool
begins_character(char byte) noexcept
{
	return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

// Neither LIKE nor a regular expression takes it for something else.
inline bool
stands_for_itself(char byte) noexcept
{
	return static_cast<unsigned char>(byte) >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
		   (byte >= 'a' && byte <= 'z') || byte == ' ' || byte == '@' || byte == '-' || byte == '/' || byte == ':';
}

} // namespace detail

// At most so many characters of the text, from a character on, that stand for themselves.
inline std::string_view
piece_of(std::string_view text, std::size_t from, std::size_t characters) noexcept
{
	const auto next = [text](std::size_t at) {
		while (++at < text.size() && !detail::begins_character(text[at]))
			;
		return at;
	};
	std::size_t start = 0;

	for (; start < text.size() && from > 0; --from)
		start = next(start);
	while (start < text.size() && !detail::stands_for_itself(text[start]))
		start = next(start);
	std::size_t end = start;
	for (; end < text.size() && characters > 0 && detail::stands_for_itself(text[end]); --characters)
		end = next(end);
	return text.substr(start, end - start);
}

// What somebody searches for who types two characters, half of what he means, or most of it:
// how much he types is counted from 0.
inline std::string_view
piece_for_search(std::string_view text, bool inside, int how_much) noexcept
{
	const std::size_t length =
		static_cast<std::size_t>(std::count_if(text.begin(), text.end(), detail::begins_character));
	const std::size_t lengths[] = {2, std::clamp<std::size_t>(length / 2, 3, 8),
								   std::clamp<std::size_t>((length * 3 + 3) / 4, 6, 16)};
	const std::string_view piece = piece_of(text, inside ? length / 4 : 0, lengths[how_much]);

	return piece.empty() ? piece_of(text, 0, lengths[how_much]) : piece;
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
