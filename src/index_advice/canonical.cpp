#include "index_advice/canonical.hpp"

#include <string_view>

namespace remedy::index_advice {

namespace {

using std::string_view;

constexpr bool
is_of_word(char c) noexcept
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
		   (c & 0x80) != 0;
}

constexpr char
small(char c) noexcept
{
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool
is_word(string_view token, string_view word) noexcept
{
	if (token.size() != word.size())
		return false;
	for (std::size_t i = 0; i < word.size(); ++i)
		if (small(token[i]) != word[i])
			return false;
	return true;
}

class Tokens
{
public:
	explicit Tokens(const char *text) noexcept : next_(text) {}

	// Empty at the end.  A quoted name or string is one token, and so is E'…'.
	string_view read() noexcept
	{
		while (*next_ == ' ' || *next_ == '\n' || *next_ == '\t' || *next_ == '\r')
			++next_;
		const char *const first = next_;
		while (is_of_word(*next_))
			++next_;
		if (*next_ == '"' || *next_ == '\'')
			skip_quoted(next_ != first && (*first == 'E' || *first == 'e'));
		else if (next_ == first && *next_ != '\0')
			++next_;
		return {first, static_cast<std::size_t>(next_ - first)};
	}

	// What is in parentheses, the first of which is next.
	void skip_list() noexcept
	{
		int depth = 0;

		do
		{
			const string_view token = read();
			depth += (token == "(") - (token == ")");
			if (token.empty())
				return;
		} while (depth > 0);
	}

private:
	// Doubled quotes are two quoted pieces, side by side.
	void skip_quoted(bool escapes) noexcept
	{
		const char quote = *next_++;

		while (*next_ != '\0' && (*next_ != quote || *++next_ == quote))
			next_ += escapes && *next_ == '\\' && next_[1] != '\0' ? 2 : 1;
	}

	const char *next_;
};

class Output
{
public:
	Output(char *out, std::size_t size) noexcept : out_(out), size_(size) {}

	// A blank between words only.
	void put(string_view token) noexcept
	{
		const bool quoted = token.find_first_of("'\"") != string_view::npos;

		if (length_ > 0 && is_of_word(out_[length_ - 1]) && is_of_word(token[0]))
			put_char(' ');
		for (const char c : token)
			put_char(quoted ? c : small(c));
	}

	bool end() noexcept
	{
		if (size_ > 0)
			out_[fits() ? length_ : 0] = '\0';
		return fits();
	}

private:
	bool fits() const noexcept { return length_ < size_; }

	void put_char(char c) noexcept
	{
		if (fits())
			out_[length_++] = c;
	}

	char *out_;
	std::size_t size_;
	std::size_t length_ = 0;
};

} // namespace

bool
write_canonical(const char *create_index, char *out, std::size_t size) noexcept
{
	Tokens tokens(create_index);
	Output output(out, size);
	string_view token;

	while (!(token = tokens.read()).empty() && !is_word(token, "on"))
		;
	while (!(token = tokens.read()).empty() && token != "(" && !is_word(token, "using"))
		;
	output.put(token == "(" ? string_view("btree") : tokens.read());
	output.put(":");
	while (!(token = tokens.read()).empty())
		if (is_word(token, "with"))
			tokens.skip_list();
		else if (is_word(token, "tablespace"))
			tokens.read();
		else if (token != "(" && token != ")" && !is_word(token, "asc"))
			output.put(token);
	return output.end();
}

// What is written never gets ahead of what is read.
void
mask_constants(char *create_index) noexcept
{
	Tokens tokens(create_index);
	const char *from = create_index;
	char *to = create_index;

	for (string_view token = tokens.read();; token = tokens.read())
	{
		const bool constant = !token.empty() && token[0] != '"' &&
							  ((token[0] >= '0' && token[0] <= '9') || token.find('\'') != string_view::npos);
		const char *const end = token.data() + token.size();

		while (from < (constant ? token.data() : end))
			*to++ = *from++;
		if (token.empty())
			break;
		if (constant)
			*to++ = '?';
		from = end;
	}
	*to = '\0';
}

std::uint64_t
form_of(const char *create_index) noexcept
{
	char canonical[2048];
	std::uint64_t hash = 0xCBF29CE484222325; // FNV-1a

	if (!write_canonical(create_index, canonical, sizeof(canonical)))
		return 0;
	for (const char *c = canonical; *c != '\0'; ++c)
		hash = (hash ^ static_cast<unsigned char>(*c)) * 0x100000001B3;
	return hash | 1;
}

} // namespace remedy::index_advice
