// Telling the rooms after this one of statements.

#pragma once

#include <utility>

#include "rooms.hpp"

namespace remedy::observe {

namespace detail {

// Compilers that look for undefined behaviour do not know it while they compile, others
// know it so well that they complain of the question where it is not hidden.
template <class Function>
pg_attribute_always_inline bool
is_given(Function function) noexcept
{
	return function != nullptr;
}

// Calls the listener's function for the event, if it has one.
template <auto Event, std::size_t Number, class... Arguments>
pg_attribute_always_inline void
tell_one(const Arguments &...arguments)
{
	const auto function = listeners[Number]->*Event;

	if (is_given(function))
		function(arguments...);
}

template <auto Event, class... Arguments>
pg_attribute_always_inline void
tell(const Arguments &...arguments)
{
	[&]<std::size_t... Numbers>(std::index_sequence<Numbers...>)
	{
		(tell_one<Event, Numbers>(arguments...), ...);
	}
	(std::make_index_sequence<lengthof(listeners)>());
}

template <std::size_t Number>
pg_attribute_always_inline void
ask_for_receiver(const Statement &statement, DestReceiver *&receiver)
{
	const auto function = listeners[Number]->running;

	if (is_given(function) && receiver == nullptr)
		receiver = function(statement);
}

} // namespace detail

pg_attribute_always_inline void
tell_analysed(const Query *query, Nanoseconds when)
{
	detail::tell<&Listener::analysed>(query, when);
}

// The receiver that a listener wants before the query's own, or null.
pg_attribute_always_inline DestReceiver *
receiver_before(const Statement &statement)
{
	DestReceiver *receiver = nullptr;

	[&]<std::size_t... Numbers>(std::index_sequence<Numbers...>)
	{
		(detail::ask_for_receiver<Numbers>(statement, receiver), ...);
	}
	(std::make_index_sequence<lengthof(listeners)>());
	return receiver;
}

pg_attribute_always_inline void
tell_run(const Statement &statement, bool first_run)
{
	detail::tell<&Listener::ran>(statement, first_run);
}

pg_attribute_always_inline void
tell_finished(const Statement &statement)
{
	detail::tell<&Listener::finished>(statement);
}

pg_attribute_always_inline void
tell_reset(const Scope &scope)
{
	detail::tell<&Listener::reset>(scope);
}

pg_attribute_always_inline void
tell_new_session()
{
	detail::tell<&Listener::new_session>();
}

pg_attribute_always_inline void
tell_new_request()
{
	detail::tell<&Listener::new_request>();
}

pg_attribute_always_inline void
tell_writing_undone()
{
	detail::tell<&Listener::writing_undone>();
}

pg_attribute_always_inline void
tell_starting(QueryDesc *query, const Statement *statement)
{
	detail::tell<&Listener::starting>(query, statement);
}

pg_attribute_always_inline void
tell_run_begins(QueryDesc *query, const Statement *statement)
{
	detail::tell<&Listener::run_begins>(query, statement);
}

pg_attribute_always_inline void
tell_run_ended(QueryDesc *query, const Statement *statement, bool failed)
{
	detail::tell<&Listener::run_ended>(query, statement, failed);
}

pg_attribute_always_inline void
tell_run_failed(const Statement &statement)
{
	detail::tell<&Listener::run_failed>(statement);
}

pg_attribute_always_inline void
tell_finishing(const QueryDesc *query)
{
	detail::tell<&Listener::finishing>(query);
}

pg_attribute_always_inline void
tell_ending(QueryDesc *query)
{
	detail::tell<&Listener::ending>(query);
}

pg_attribute_always_inline void
tell_slow(const Statement &statement)
{
	detail::tell<&Listener::slow>(statement);
}

} // namespace remedy::observe
