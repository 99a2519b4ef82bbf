// The server's parser of JSON texts, with a listener of ours.
//
// It un-escapes strings, so it refuses what jsonb refuses of them; by its result, by an
// error where no character of the database's encoding stands for an escape (before version
// 16) and where max_stack_depth does not suffice.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "common/jsonapi.h"
}

namespace remedy::server {

// What the parser found where a value begins: the text as it stands there, of numbers whole.
struct JsonToken
{
	JsonTokenType type;
	const char *text;
	int64 length;
};

namespace detail {

#if PG_VERSION_NUM >= 160000
using JsonEventResult = JsonParseErrorType;
#else
using JsonEventResult = void;
#endif

template <class Listener>
struct JsonState
{
	Listener *listener;
	JsonLexContext *lexer;

	JsonToken token() const noexcept
	{
		return {lexer->token_type, lexer->token_start, lexer->token_terminator - lexer->token_start};
	}
};

// A callback of the parser from a function of ours, which returns nothing.
template <auto event, class Listener, class... Arguments>
JsonEventResult
on_json_event(void *state, Arguments... arguments) noexcept
{
	event(*static_cast<JsonState<Listener> *>(state), arguments...);
#if PG_VERSION_NUM >= 160000
	return JSON_SUCCESS;
#endif
}

inline JsonLexContext *
make_json_lexer(const char *text, int length) noexcept
{
#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(nullptr, text, length, GetDatabaseEncoding(), true);
#else
	return makeJsonLexContextCstringLen(const_cast<char *>(text), length, GetDatabaseEncoding(), true);
#endif
}

} // namespace detail

// The listener is told of begin_object(), key(text) before each of its values, end_object(),
// begin_array(), end_array() and value(token), which is one of a container; for a container as a value,
// before it begins.  A key is palloc'd, and its own from then on.
template <class Listener>
JsonParseErrorType
parse_json(const char *text, int length, Listener &listener) noexcept
{
	using State = detail::JsonState<Listener>;
	State state = {&listener, detail::make_json_lexer(text, length)};
	JsonSemAction actions = {};

	constexpr auto begin_object = [](State &s) noexcept { s.listener->begin_object(); };
	constexpr auto end_object = [](State &s) noexcept { s.listener->end_object(); };
	constexpr auto begin_array = [](State &s) noexcept { s.listener->begin_array(); };
	constexpr auto end_array = [](State &s) noexcept { s.listener->end_array(); };
	constexpr auto field = [](State &s, char *key, bool) noexcept {
		s.listener->key(key);
		s.listener->value(s.token());
	};
	constexpr auto element = [](State &s, bool) noexcept { s.listener->value(s.token()); };

	actions.semstate = &state;
	actions.object_start = detail::on_json_event<begin_object, Listener>;
	actions.object_end = detail::on_json_event<end_object, Listener>;
	actions.array_start = detail::on_json_event<begin_array, Listener>;
	actions.array_end = detail::on_json_event<end_array, Listener>;
	actions.object_field_start = detail::on_json_event<field, Listener, char *, bool>;
	actions.array_element_start = detail::on_json_event<element, Listener, bool>;
	return pg_parse_json(state.lexer, &actions);
}

// What only some versions say.
#if PG_VERSION_NUM >= 170000
inline constexpr JsonParseErrorType json_too_deep = JSON_NESTING_TOO_DEEP;
#else
inline constexpr JsonParseErrorType json_too_deep = static_cast<JsonParseErrorType>(-1); // it is an error
#endif

inline bool
is_untranslatable([[maybe_unused]] JsonParseErrorType error) noexcept
{
#if PG_VERSION_NUM >= 160000
	return error == JSON_UNICODE_UNTRANSLATABLE;
#else
	return false;
#endif
}

} // namespace remedy::server
