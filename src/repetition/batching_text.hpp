// The text of a batched query in the making.
//
// What the server's deparser writes is of a simple kind: quotes are doubled in quotes, and
// outside of them there is no comment, no dollar but a parameter's, and keywords are in capitals.
// So a character's quotes and parentheses are known without a lexer.  No server headers.

#pragma once

#include <cstring>

namespace remedy::repetition {

// Calls visit(position, depth) for each character outside of quotes, until it says true;
// returns where, or null.
template <class Visit>
const char *
find_plain(const char *text, Visit &&visit)
{
	char quote = '\0';
	int depth = 0;

	for (const char *at = text; *at != '\0'; ++at)
	{
		if (quote != '\0')
			quote = *at == quote ? '\0' : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
		else
		{
			depth -= *at == ')';
			if (visit(at, depth))
				return at;
			depth += *at == '(';
		}
	}
	return nullptr;
}

inline bool
is_letter_of_name(char c) noexcept
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
		   (c & 0x80) != 0;
}

// Whether this word, and not a longer one, begins there.
inline bool
is_word(const char *text, const char *at, const char *word) noexcept
{
	const std::size_t length = strlen(word);

	return strncmp(at, word, length) == 0 && !is_letter_of_name(at[length]) &&
		   (at == text || !is_letter_of_name(at[-1]));
}

// How often the word stands in the text, inside of quotes too.
inline int
count_words(const char *text, const char *word) noexcept
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, word)) != nullptr; ++at)
		count += is_word(text, at, word);
	return count;
}

// Where a clause of the outermost query begins; null if it has none.
inline const char *
find_clause(const char *text, const char *keyword) noexcept
{
	return find_plain(
		text, [=](const char *at, int depth) { return depth == 0 && *at == *keyword && is_word(text, at, keyword); });
}

// The parenthesis that closes the first one.
inline const char *
find_closing(const char *text) noexcept
{
	return find_plain(text, [](const char *at, int depth) { return *at == ')' && depth == 0; });
}

inline bool
has_string(const char *text) noexcept
{
	bool in_name = false;

	for (const char *at = text; *at != '\0'; ++at)
		if (*at == '"')
			in_name = !in_name;
		else if (*at == '\'' && !in_name)
			return true;
	return false;
}

// Gives the text to append(start, length) in pieces, and in the place of each parameter
// its number to parameter(n).
template <class Append, class Parameter>
void
replace_parameters(const char *text, Append &&append, Parameter &&parameter)
{
	const auto is_dollar = [](const char *at, int) { return *at == '$'; };

	while (const char *dollar = find_plain(text, is_dollar))
	{
		int number = 0;
		append(text, static_cast<int>(dollar - text));
		for (text = dollar + 1; *text >= '0' && *text <= '9'; ++text)
			number = number * 10 + (*text - '0');
		parameter(number);
	}
	append(text, static_cast<int>(strlen(text)));
}

// Gives the text to append(character) with one space in the place of each gap, and none at
// its ends and inside of parentheses' ends.
template <class Append>
void
write_in_one_line(const char *text, Append &&append)
{
	const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t'; };
	char quote = '\0';
	char last = '\0';
	bool gap = false;

	for (; *text != '\0'; ++text)
	{
		if (quote == '\0' && is_space(*text))
		{
			gap = true;
			continue;
		}
		if (gap && last != '\0' && last != '(' && *text != ')')
			append(' ');
		gap = false;
		if (quote != '\0')
			quote = *text == quote ? '\0' : quote;
		else if (*text == '"' || *text == '\'')
			quote = *text;
		append(*text);
		last = *text;
	}
}

} // namespace remedy::repetition
