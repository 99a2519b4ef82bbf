// The route of a request, from the comment that the client's library adds to the
// text of its statements.
//
// Understood are sqlcommenter's key='value',key='value', URL-encoded, and the
// key:value,key:value of Rails, which encodes nothing.  The comment is the last
// thing of the text, but for white space and semicolons, or the first.  Of its
// keys count route, else controller and action together, else job; all others change
// nothing, but that traceparent tells the trace.  A comment that is not wholly well formed
// gives nothing at all: what it says might be an accident.
//
// Allocates nothing, raises nothing, reads and writes nothing outside of what it
// is given.

#pragma once

#include <cstddef>
#include <string_view>

namespace remedy::observe {

// Longer comments are not looked into.
constexpr std::size_t longest_route_comment = 4096;

constexpr bool
may_follow_comment(char c) noexcept
{
	return c == ';' || c == ' ' || (c >= '\t' && c <= '\r');
}

// False for nearly every text that has no comment at either end, after a look at
// four of its characters.
inline bool
may_have_route(const char *text, std::size_t length) noexcept
{
	if (length < 4)
		return false;
	const char before = text[length - 2], last = text[length - 1];
	return (last == '/' && before == '*') || (text[0] == '/' && text[1] == '*') ||
		   (may_follow_comment(last) && (before == '/' || may_follow_comment(before)));
}

// Whether the text tells a route, which is then in route, ended with NUL and cut
// to less than capacity bytes where a character of UTF-8 ends.  Control characters
// become question marks.  Bytes of 128 and more are what the client sent, whatever
// the database's encoding: who shows them must verify them.
bool route_of(const char *text, std::size_t length, char *route, std::size_t capacity) noexcept;

// The identifier of the request's trace, which all its statements share (W3C Trace Context:
// the second field of traceparent); empty if the comment has none.  A part of the text.
std::string_view trace_of(const char *text, std::size_t length) noexcept;

} // namespace remedy::observe
