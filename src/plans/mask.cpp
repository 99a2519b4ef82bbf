#include "plans/mask.hpp"

namespace remedy::plans {

namespace {

bool
is_digit(char c) noexcept
{
	return c >= '0' && c <= '9';
}

// Bytes beyond ASCII are letters, in every encoding that a database may have.
bool
is_letter(char c) noexcept
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool
is_name_part(char c) noexcept
{
	return is_letter(c) || is_digit(c) || c == '$';
}

class Masker
{
public:
	Masker(std::string_view text, Strings strings, bool shape, char *out) noexcept
		: text_(text), strings_(strings), shape_(shape), begin_(out), out_(out)
	{
	}

	std::size_t run() noexcept
	{
		begin_line();
		while (at_ < text_.size())
			step();
		return out_ - begin_;
	}

private:
	static constexpr std::size_t none = std::string_view::npos;

	char peek(std::size_t place) const noexcept { return place < text_.size() ? text_[place] : '\0'; }

	void copy_to(std::size_t end) noexcept
	{
		while (at_ < end)
			*out_++ = text_[at_++];
	}

	void step() noexcept
	{
		const char c = text_[at_];

		if (c == '\'')
			string(at_, strings_ == Strings::with_backslashes);
		else if (c == '"')
			quoted_name();
		else if (is_letter(c))
			name();
		else if (c == '$' && is_digit(peek(at_ + 1)))
			parameter();
		else if (is_digit(c))
			number();
		else
			other(c);
	}

	void other(char c) noexcept
	{
		copy_to(at_ + 1);
		if (c == '\n')
			begin_line();
		else if ((c == '(' || c == '[') && !raw_name_)
			++depth_;
		else if ((c == ')' || c == ']') && depth_ > 0)
			--depth_;
	}

	void begin_line() noexcept
	{
		const std::size_t start = text_.find_first_not_of(' ', at_);
		const std::string_view line = start == none ? std::string_view{} : text_.substr(start);

		depth_ = 0;
		raw_name_ = line.starts_with("CTE ") || line.starts_with("Conflict Arbiter Indexes: ");
	}

	// After the quote that closes what the one at open has opened, or none.
	std::size_t after_quotes(std::size_t open, bool backslashes) const noexcept
	{
		const char quote = text_[open];

		for (std::size_t i = open + 1; i < text_.size(); ++i)
		{
			if (text_[i] == '\n' && depth_ == 0)
				return none;
			if (text_[i] == '\\' && backslashes)
				++i;
			else if (text_[i] == quote && peek(i + 1) != quote)
				return i + 1;
			else if (text_[i] == quote)
				++i;
		}
		return none;
	}

	// Nobody can tell what belongs to an open quote: nothing of it is shown.
	void open_ended() noexcept
	{
		const std::size_t line_end = raw_name_ ? text_.find('\n', at_) : none;

		at_ = line_end == none ? text_.size() : line_end;
		*out_++ = '?';
	}

	void string(std::size_t open, bool backslashes) noexcept
	{
		const std::size_t end = after_quotes(open, backslashes);

		if (end == none)
			open_ended();
		else
			value(end);
	}

	void quoted_name() noexcept
	{
		const std::size_t end = after_quotes(at_, false);

		if (end == none)
			open_ended();
		else
			copy_to(end);
	}

	// A letter right before a quote is the kind of the string.
	void name() noexcept
	{
		std::size_t end = at_;

		while (is_name_part(peek(end)))
			++end;
		if (peek(end) == '\'' && end == at_ + 1)
			string(end, text_[at_] == 'E' || text_[at_] == 'e');
		else
			copy_to(end);
	}

	void parameter() noexcept
	{
		std::size_t end = at_ + 1;

		while (is_digit(peek(end)))
			++end;
		if (shape_)
			value(end);
		else
			copy_to(end);
	}

	void number() noexcept
	{
		const bool counts =
			follows("SubPlan ") || follows("InitPlan ") || follows(" Planned: ") || follows(" Removed: ");
		std::size_t end = at_;

		while (is_name_part(peek(end)) || peek(end) == '.' ||
			   ((peek(end) == '+' || peek(end) == '-') && (text_[end - 1] == 'e' || text_[end - 1] == 'E')))
			++end;
		if (counts && !shape_)
			copy_to(end);
		else
			value(end);
	}

	bool follows(std::string_view words) const noexcept { return text_.substr(0, at_).ends_with(words); }

	// Stands for the bytes up to end.
	void value(std::size_t end) noexcept
	{
		at_ = end;
		if (shape_)
			skip_type();
		if (shape_ && std::string_view(begin_, out_ - begin_).ends_with("?, "))
			out_ -= 2;
		else
			*out_++ = '?';
	}

	void skip_type() noexcept
	{
		if (!text_.substr(at_).starts_with("::"))
			return;
		at_ += 2;
		skip_name();
		while (peek(at_) == '.')
		{
			++at_;
			skip_name();
		}
		skip_modifier();
		for (const std::string_view more : {" varying", " precision", " without time zone", " with time zone"})
			if (text_.substr(at_).starts_with(more))
				at_ += more.size();
		skip_modifier();
		while (text_.substr(at_).starts_with("[]"))
			at_ += 2;
	}

	void skip_name() noexcept
	{
		const std::size_t end = peek(at_) == '"' ? after_quotes(at_, false) : none;

		if (end != none)
			at_ = end;
		while (is_name_part(peek(at_)))
			++at_;
	}

	void skip_modifier() noexcept
	{
		const std::size_t end = peek(at_) == '(' ? text_.find(')', at_) : none;

		if (end != none)
			at_ = end + 1;
	}

	std::string_view text_;
	Strings strings_;
	bool shape_;
	char *begin_;
	char *out_;
	std::size_t at_ = 0;
	int depth_ = 0;         // of parentheses on this line
	bool raw_name_ = false; // the line holds a name that is not quoted
};

} // namespace

std::size_t
mask_values(std::string_view text, Strings strings, char *out) noexcept
{
	return Masker(text, strings, false, out).run();
}

std::size_t
mask_shape(std::string_view text, Strings strings, char *out) noexcept
{
	return Masker(text, strings, true, out).run();
}

} // namespace remedy::plans
