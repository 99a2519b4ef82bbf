#include "observe/listeners.hpp"

namespace remedy::observe {

namespace {

constexpr int listener_limit = 4;
const Listener *listeners[listener_limit];
int listener_count = 0;

} // namespace

void
listen(const Listener &listener) noexcept
{
	Assert(listener_count < listener_limit);
	listeners[listener_count++] = &listener;
}

void
tell_analysed(const Query *query, Nanoseconds when)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->analysed != nullptr)
			listeners[i]->analysed(query, when);
}

DestReceiver *
receiver_before(const Statement &statement)
{
	DestReceiver *receiver = nullptr;

	for (int i = 0; i < listener_count && receiver == nullptr; ++i)
		if (listeners[i]->running != nullptr)
			receiver = listeners[i]->running(statement);
	return receiver;
}

void
tell_run(const Statement &statement, bool first_run)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->ran != nullptr)
			listeners[i]->ran(statement, first_run);
}

void
tell_reset(const Scope &scope)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->reset != nullptr)
			listeners[i]->reset(scope);
}

void
tell_new_session()
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->new_session != nullptr)
			listeners[i]->new_session();
}

void
tell_starting(QueryDesc *query, const Statement *statement)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->starting != nullptr)
			listeners[i]->starting(query, statement);
}

void
tell_run_begins(QueryDesc *query, const Statement *statement)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->run_begins != nullptr)
			listeners[i]->run_begins(query, statement);
}

void
tell_run_ended(QueryDesc *query, const Statement *statement, bool failed)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->run_ended != nullptr)
			listeners[i]->run_ended(query, statement, failed);
}

void
tell_ending(QueryDesc *query)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->ending != nullptr)
			listeners[i]->ending(query);
}

void
tell_slow(const Statement &statement)
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->slow != nullptr)
			listeners[i]->slow(statement);
}

} // namespace remedy::observe
