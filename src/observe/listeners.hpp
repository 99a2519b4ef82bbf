// Telling the rooms after this one of statements.

#pragma once

#include "observe/observe.hpp"

namespace remedy::observe {

namespace detail {

// The list is constant, so that link-time optimisation leaves of this what is called.
template <class Event, class... Arguments>
inline void
tell(Event Listener::*event, const Arguments &...arguments)
{
#pragma GCC unroll 8
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->*event != nullptr)
			(listeners[i]->*event)(arguments...);
}

} // namespace detail

inline void
tell_analysed(const Query *query, Nanoseconds when)
{
	detail::tell(&Listener::analysed, query, when);
}

// The receiver that a listener wants before the query's own, or null.
inline DestReceiver *
receiver_before(const Statement &statement)
{
	DestReceiver *receiver = nullptr;

#pragma GCC unroll 8
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->running != nullptr && receiver == nullptr)
			receiver = listeners[i]->running(statement);
	return receiver;
}

inline void
tell_run(const Statement &statement, bool first_run)
{
	detail::tell(&Listener::ran, statement, first_run);
}

inline void
tell_reset(const Scope &scope)
{
	detail::tell(&Listener::reset, scope);
}

inline void
tell_new_session()
{
	detail::tell(&Listener::new_session);
}

inline void
tell_starting(QueryDesc *query, const Statement *statement)
{
	detail::tell(&Listener::starting, query, statement);
}

inline void
tell_run_begins(QueryDesc *query, const Statement *statement)
{
	detail::tell(&Listener::run_begins, query, statement);
}

inline void
tell_run_ended(QueryDesc *query, const Statement *statement, bool failed)
{
	detail::tell(&Listener::run_ended, query, statement, failed);
}

inline void
tell_run_failed(const Statement &statement)
{
	detail::tell(&Listener::run_failed, statement);
}

inline void
tell_ending(QueryDesc *query)
{
	detail::tell(&Listener::ending, query);
}

inline void
tell_slow(const Statement &statement)
{
	detail::tell(&Listener::slow, statement);
}

} // namespace remedy::observe
