// Who is told of statements: the rooms after this one.

#pragma once

#include "observe/observe.hpp"

namespace remedy::observe {

void tell_analysed(const Query *query, Nanoseconds when);

// The receiver that a listener wants before the query's own, or null.
DestReceiver *receiver_before(const Statement &statement);

void tell_run(const Statement &statement, bool first_run);
void tell_reset(const Scope &scope);
void tell_new_session();

void tell_starting(QueryDesc *query, const Statement *statement);
void tell_run_begins(QueryDesc *query, const Statement *statement);
void tell_run_ended(QueryDesc *query, const Statement *statement, bool failed);
void tell_ending(QueryDesc *query);
void tell_slow(const Statement &statement);

} // namespace remedy::observe
