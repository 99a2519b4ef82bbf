#include "observe/route.hpp"

#include <algorithm>
#include <string_view>

namespace remedy::observe {

namespace {

using std::string_view;

// Takes what is put into it until it is full.
struct Output
{
	char *bytes;
	std::size_t room;
	std::size_t length = 0;
	bool cut = false;

	void put(unsigned char byte) noexcept
	{
		if (length == room && !cut)
		{
			cut = true;
			if (continues_character(byte))
				drop_last_character();
		}
		if (!cut)
			bytes[length++] = byte < 0x20 || byte == 0x7f ? '?' : static_cast<char>(byte);
	}

	static bool continues_character(unsigned char byte) noexcept { return (byte & 0xc0) == 0x80; }

	void drop_last_character() noexcept
	{
		while (length > 0 && continues_character(bytes[length - 1]))
			--length;
		if (length > 0 && static_cast<unsigned char>(bytes[length - 1]) >= 0xc0)
			--length;
	}
};

struct Value
{
	string_view text;
	bool encoded = true;
};

struct Names
{
	Value route, controller, action, job, traceparent;
};

int
hexadecimal(char c) noexcept
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Takes one byte off an encoded text; 0 if there is no good one.  A percent sign
// may be doubled: Python's library doubles it for the driver, which leaves it so
// in statements without parameters.
unsigned char
decoded_byte(string_view &rest) noexcept
{
	if (rest.starts_with("\\'"))
		rest.remove_prefix(1);
	else if (rest.front() == '%')
	{
		rest.remove_prefix(rest.starts_with("%%") ? 2 : 1);
		if (rest.size() < 2 || hexadecimal(rest[0]) < 0 || hexadecimal(rest[1]) < 0)
			return 0;
		const int byte = 16 * hexadecimal(rest[0]) + hexadecimal(rest[1]);
		rest.remove_prefix(2);
		return static_cast<unsigned char>(byte);
	}
	const char byte = rest.front();
	rest.remove_prefix(1);
	return static_cast<unsigned char>(byte);
}

// Whether the whole value is well formed, even what finds no room.
bool
copy(Value value, Output &out) noexcept
{
	while (!value.text.empty())
	{
		unsigned char byte = static_cast<unsigned char>(value.text.front());
		if (value.encoded)
			byte = decoded_byte(value.text);
		else
			value.text.remove_prefix(1);
		if (byte == 0)
			return false;
		out.put(byte);
	}
	return true;
}

bool
is_well_formed(Value value) noexcept
{
	Output nothing{nullptr, 0};
	return !value.text.empty() && copy(value, nothing);
}

string_view
trimmed(string_view text) noexcept
{
	constexpr string_view spaces = " \t\n\r\f\v";
	text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
	text.remove_suffix(text.size() - (text.find_last_not_of(spaces) + 1));
	return text;
}

// Takes a value off the text, which begins with it.
bool
take_value(string_view &rest, bool quotes_needed, Value &value) noexcept
{
	std::size_t end;
	if (rest.starts_with('\''))
	{
		rest.remove_prefix(1);
		end = rest.find('\'');
		while (end != rest.npos && end > 0 && rest[end - 1] == '\\')
			end = rest.find('\'', end + 1);
		if (end == rest.npos)
			return false;
		value = {rest.substr(0, end)};
		++end;
	}
	else
	{
		if (quotes_needed)
			return false;
		end = std::min(rest.find(','), rest.size());
		value = {trimmed(rest.substr(0, end)), false};
	}
	rest = trimmed(rest.substr(end));
	return is_well_formed(value);
}

// Where a value of this key is kept; an unneeded one if it says nothing of the route.
bool
place_of(string_view key, Names &names, Value &unneeded, Value *&place) noexcept
{
	char buffer[16]; // longer than each of our keys
	Output name{buffer, sizeof buffer};
	if (key.empty() || key.find_first_of("',") != key.npos || !copy({key}, name))
		return false;
	const string_view decoded(buffer, name.length);
	place = decoded == "route"         ? &names.route
			: decoded == "controller"  ? &names.controller
			: decoded == "action"      ? &names.action
			: decoded == "job"         ? &names.job
			: decoded == "traceparent" ? &names.traceparent
									   : &unneeded;
	return true;
}

// Whether all of the comment is pairs of keys and values.
bool
read_pairs(string_view rest, Names &names) noexcept
{
	for (rest = trimmed(rest);; rest = trimmed(rest.substr(1)))
	{
		const std::size_t separator = rest.find_first_of("=:");
		Value unneeded, value, *place;
		if (separator == rest.npos || !place_of(trimmed(rest.substr(0, separator)), names, unneeded, place))
			return false;
		const bool quotes_needed = rest[separator] == '=';
		rest = trimmed(rest.substr(separator + 1));
		if (!take_value(rest, quotes_needed, value))
			return false;
		if (place->text.empty())
			*place = value;
		if (rest.empty())
			return true;
		if (rest.front() != ',')
			return false;
	}
}

bool
write_route(string_view comment, Output &out) noexcept
{
	Names names;
	if (!read_pairs(comment, names))
		return false;
	if (!names.route.text.empty())
		copy(names.route, out);
	else if (!names.controller.text.empty() && !names.action.text.empty())
	{
		copy(names.controller, out);
		out.put('#');
		copy(names.action, out);
	}
	else
		copy(names.job, out);
	return out.length > 0;
}

// Empty if there is none, or one that is no trace's.
string_view
trace_in(string_view comment) noexcept
{
	constexpr std::size_t begins = 3, digits = 32; // behind the version and a hyphen
	Names names;
	const string_view parent = read_pairs(comment, names) ? names.traceparent.text : string_view{};
	const bool is_whole =
		parent.size() > begins + digits && parent[begins - 1] == '-' && parent[begins + digits] == '-';

	return is_whole ? parent.substr(begins, digits) : string_view{};
}

// What is between the marks of the comment that ends the text; empty if there is none,
// or one with another comment in it.
string_view
last_comment(string_view text) noexcept
{
	while (!text.empty() && may_follow_comment(text.back()))
		text.remove_suffix(1);
	if (!text.ends_with("*/"))
		return {};
	text.remove_suffix(2);
	text.remove_prefix(text.size() - std::min(text.size(), longest_route_comment));
	const std::size_t start = text.rfind("/*");
	if (start == text.npos || text.find("*/", start + 2) != text.npos)
		return {};
	return text.substr(start + 2);
}

// The same of the comment that begins the text.
string_view
first_comment(string_view text) noexcept
{
	if (!text.starts_with("/*"))
		return {};
	text = text.substr(2, longest_route_comment);
	const std::size_t end = text.find("*/");
	if (end == text.npos || text.find("/*") < end)
		return {};
	return text.substr(0, end);
}

} // namespace

bool
route_of(const char *text, std::size_t length, char *route, std::size_t capacity) noexcept
{
	const string_view whole(text, length);
	if (capacity == 0)
		return false;
	Output out{route, capacity - 1};
	const bool found = write_route(last_comment(whole), out) || write_route(first_comment(whole), out);
	route[out.length] = '\0';
	return found;
}

string_view
trace_of(const char *text, std::size_t length) noexcept
{
	const string_view whole(text, length);
	const string_view trace = trace_in(last_comment(whole));
	return trace.empty() ? trace_in(first_comment(whole)) : trace;
}

} // namespace remedy::observe
