// What LIKE and its relatives compare with: pure.

#pragma once

#include <cctype>
#include <string_view>

namespace remedy::index_advice {

enum class Pattern
{
	none,
	like,
	ilike,
	regex,
	iregex,
};

// Whether all that matches begins with the same characters, so that an order finds it.
inline bool
has_fixed_beginning(Pattern kind, std::string_view text) noexcept
{
	const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80) != 0; };

	if (text.empty())
		return false;
	if (kind == Pattern::like)
		return text[0] != '%' && text[0] != '_';
	if (kind == Pattern::ilike) // letters have two forms
		return std::isdigit(static_cast<unsigned char>(text[0]));
	if (text.size() < 2 || text[0] != '^' || text.find('|') != text.npos)
		return false;
	const bool is_fixed =
		kind == Pattern::regex ? is_plain(text[1]) : std::isdigit(static_cast<unsigned char>(text[1]));
	return is_fixed && (text.size() == 2 || std::string_view("*?{").find(text[2]) == text.npos);
}

// Whether it has three characters in a row, by which trigrams find it.  Of a regular
// expression that is not known.
inline bool
has_trigram(Pattern kind, std::string_view text) noexcept
{
	int run = 0;

	if (kind == Pattern::regex || kind == Pattern::iregex)
		return true;
	for (const char c : text)
	{
		run = c == '%' || c == '_' ? 0 : run + 1;
		if (run == 3)
			return true;
	}
	return false;
}

} // namespace remedy::index_advice
