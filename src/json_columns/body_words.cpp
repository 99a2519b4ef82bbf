#include "json_columns/body_words.hpp"

#include <cstddef>

namespace remedy::json_columns {

namespace {

char
folded(char c) noexcept
{
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool
begins_word(char c) noexcept
{
	return (folded(c) >= 'a' && folded(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool
continues_word(char c) noexcept
{
	return begins_word(c) || (c >= '0' && c <= '9') || c == '$';
}

struct Token
{
	std::string_view text; // of a quoted name what stands between the quotes
	bool quoted;

	// A word of the language, or a sign.
	bool is(std::string_view word) const noexcept { return !quoted && equals(word); }

	bool names(std::string_view name) const noexcept { return quoted ? text == name : equals(name); }

	bool starts_with(std::string_view beginning) const noexcept
	{
		return Token{text.substr(0, beginning.size()), quoted}.is(beginning);
	}

private:
	bool equals(std::string_view word) const noexcept
	{
		bool same = text.size() == word.size();
		for (std::size_t i = 0; same && i < word.size(); ++i)
			same = folded(text[i]) == word[i];
		return same;
	}
};

class Words
{
public:
	explicit Words(std::string_view body) noexcept : rest_(body) {}

	// Empty at the end.
	Token next() noexcept
	{
		skip_blanks();
		if (rest_.empty())
			return {};
		if (rest_[0] == '"')
			return quoted();
		std::size_t length = 1;
		if (begins_word(rest_[0]))
			while (length < rest_.size() && continues_word(rest_[length]))
				++length;
		return {take(length), false};
	}

private:
	std::string_view take(std::size_t length) noexcept
	{
		const std::string_view taken = rest_.substr(0, length);
		rest_.remove_prefix(taken.size());
		return taken;
	}

	void skip_to(std::string_view end) noexcept
	{
		const std::size_t place = rest_.find(end);
		take(place == rest_.npos ? place : place + end.size());
	}

	void skip_blanks() noexcept
	{
		while (!rest_.empty())
			if (rest_.substr(0, 2) == "--")
				skip_to("\n");
			else if (rest_.substr(0, 2) == "/*")
				skip_to("*/");
			else if (rest_[0] == '\'' || rest_[0] == '$' || static_cast<unsigned char>(rest_[0]) <= ' ')
				take(1);
			else
				return;
	}

	Token quoted() noexcept
	{
		take(1);
		const std::size_t end = rest_.find('"');
		const Token token = {take(end), true};
		take(1);
		return token;
	}

	std::string_view rest_;
};

class SignReader
{
public:
	SignReader(std::string_view table, std::string_view column) noexcept : table_(table), column_(column) {}

	void read(const Token &token) noexcept
	{
		finish_target(token);
		finish_row(token);
		signs.column |= token.names(column_);
		if (token.names(table_))
			begin_target();
		signs.declares |= token.is("json");
		signs.text |= token.is("like") || token.is("ilike") || token.is("md5") || token.is("hashtext") ||
					  (token.is("text") && last_.is(":"));
		signs.star |= token.is("*") && (last_.is("select") || last_.is("returning") || last_.is("."));
		if (token.is("(") && last_.starts_with("json_") && signs.function.empty())
			signs.function = last_.text;
		note_verb(token);
		last_ = token;
	}

	Signs signs = {};

private:
	enum class Verb
	{
		none,
		insert,
		copy,
	};

	// The table follows INTO or COPY at once, but for its schema.
	void note_verb(const Token &token) noexcept
	{
		if (token.is("into"))
			verb_ = last_.is("insert") ? Verb::insert : Verb::none;
		else if (token.is("copy"))
			verb_ = Verb::copy;
		else if (!token.is(".") && !last_.is(".") && !last_.is("into") && !last_.is("copy"))
			verb_ = Verb::none;
	}

	void begin_target() noexcept
	{
		signs.table = true;
		target_ = verb_;
	}

	// What follows the table's name: perhaps an alias, then a list of columns or a query.
	void finish_target(const Token &token) noexcept
	{
		const bool goes_on = token.is("(") ? !last_.is("(") : token.is(".") || token.is("as") || last_.is("as");

		if (target_ == Verb::none || goes_on)
			return;
		if (!last_.is("(") || token.is("select") || token.is("with") || token.is("values"))
			(target_ == Verb::insert ? signs.insert : signs.copy) = true;
		target_ = Verb::none;
	}

	// NEW and OLD are whole unless a column's name follows, but every trigger returns one.
	void finish_row(const Token &token) noexcept
	{
		if (last_.is("new") || last_.is("old"))
			signs.row |= !token.is(".") && !before_.is("return");
		if (last_.is(".") && (before_.is("new") || before_.is("old")))
			signs.row |= token.is("*");
		before_ = last_;
	}

	std::string_view table_, column_;
	Token last_ = {}, before_ = {};
	Verb verb_ = Verb::none, target_ = Verb::none;
};

} // namespace

Signs
read_signs(std::string_view body, std::string_view table, std::string_view column) noexcept
{
	SignReader reader(table, column);
	Words words(body);
	Token token;

	do
		reader.read(token = words.next());
	while (!token.text.empty() || token.quoted);
	return reader.signs;
}

} // namespace remedy::json_columns
