// How jsonb spells a document: whether a JSON text is already written like that.  No server headers.
//
// The texts are valid JSON.

#pragma once

#include <cstring>
#include <string_view>

namespace remedy::json_columns {

namespace detail {

inline bool
is_space(char c) noexcept
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

inline bool
is_lower_hex(char c) noexcept
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// The four digits of \uXXXX, of a character that has no other spelling: a control character
// other than those that have a letter.
inline bool
is_needed_code(const char *digits) noexcept
{
	if (digits[0] != '0' || digits[1] != '0' || (digits[2] != '0' && digits[2] != '1') || !is_lower_hex(digits[3]))
		return false;
	return digits[2] == '1' || std::strchr("89acd", digits[3]) == nullptr;
}

// The quote that ends a string, of which this is the first character, or the text's end.
inline const char *
end_of_string(const char *first, const char *end) noexcept
{
	for (const char *quote = first;; ++quote)
	{
		quote = static_cast<const char *>(std::memchr(quote, '"', end - quote));
		if (quote == nullptr)
			return end;
		const char *escapes = quote;
		while (escapes > first && escapes[-1] == '\\')
			--escapes;
		if ((quote - escapes) % 2 == 0)
			return quote;
	}
}

} // namespace detail

// One space after each comma and colon, none elsewhere.
inline bool
is_spaced_like_jsonb(std::string_view text) noexcept
{
	const char *const end = text.data() + text.size();

	for (const char *at = text.data(); at < end; ++at)
		switch (*at)
		{
		case '"':
			at = detail::end_of_string(at + 1, end);
			break;
		case ',':
		case ':':
			if (++at >= end || *at != ' ' || at + 1 >= end || detail::is_space(at[1]))
				return false;
			break;
		default:
			if (detail::is_space(*at))
				return false;
		}
	return true;
}

// Only what must be escaped is, and in the way jsonb does it.
inline bool
is_escaped_like_jsonb(std::string_view text) noexcept
{
	const char *const end = text.data() + text.size();

	for (const char *at = text.data(); (at = static_cast<const char *>(std::memchr(at, '\\', end - at))) != nullptr;
		 at += 2)
		if (end - at < 2 || at[1] == '/' || (at[1] == 'u' && (end - at < 6 || !detail::is_needed_code(at + 2))))
			return false;
	return true;
}

inline bool
has_exponent(std::string_view number) noexcept
{
	return number.find_first_of("eE") != number.npos;
}

// Minus nothing, whose sign is lost.
inline bool
is_negative_zero(std::string_view number) noexcept
{
	if (number.empty() || number.front() != '-')
		return false;
	const std::string_view digits = number.substr(1, number.find_first_of("eE") - 1);
	return digits.find_first_not_of("0.") == digits.npos;
}

// The order of keys: by length, then by bytes.
inline bool
precedes_in_jsonb(std::string_view key, std::string_view other) noexcept
{
	if (key.size() != other.size())
		return key.size() < other.size();
	return std::memcmp(key.data(), other.data(), key.size()) < 0;
}

} // namespace remedy::json_columns
