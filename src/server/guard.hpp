// The gates between C++ exceptions and server errors.
//
//   call()     C++ -> server.  Runs server code that may raise an error, from a
//              function that owns objects with destructors.  The error becomes
//              the exception PendingError.
//   entry()    server -> C++.  Runs the body of a function the server calls.
//              An exception becomes a server error, once every object is gone.
//   in_transaction()
//              server -> server, in processes of the server's own.  Runs a body
//              in a transaction of its own; an error in it is undone and returned.
//   finally()  server -> server.  Runs a body and then a clean-up, also when
//              the body leaves by an error, which goes on afterwards.
//   attempt()  server -> server.  Runs a body in a subtransaction of its own; an
//              error in it is undone and forgotten, or logged, and reported as false.
//   error_of()
//              server -> server.  attempt() for a caller that needs the error itself.
//   procedure_error_of()
//              server -> server.  Runs a body that commits; an error in it is returned,
//              and the caller rolls the transaction back before anything else.
//   trial()    server -> server.  Runs a body in a subtransaction that is undone in any
//              case, with the locks it took; an error's SQLSTATE is returned.
//   attempt_in_memory()
//              server -> server.  attempt() without a subtransaction, for a body that
//              owns nothing but memory.
//
// Code whose frames hold only trivially destructible objects needs neither
// call() nor entry(): there a longjmp is well defined.  Executor hooks are
// written that way, and use the last ones.

#pragma once

#include <csignal>
#include <exception>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "server/headers.hpp"

namespace remedy {

// A server error waits on the server's error stack for entry() to raise it
// again, whole.  Never swallow one: the server has locks and memory to clean
// up, which only the end of a (sub)transaction does.
struct PendingError
{
};

// An error of our own, with the SQLSTATE the user will see.
class Error : public std::runtime_error
{
public:
	Error(int sqlstate, const char *message) : std::runtime_error(message), sqlstate_(sqlstate) {}

	int sqlstate() const noexcept { return sqlstate_; }

private:
	int sqlstate_;
};

namespace detail {

// What PG_TRY saves, and the current memory context, which it does not.
struct ServerState
{
	sigjmp_buf *handler = PG_exception_stack;
	ErrorContextCallback *context = error_context_stack;
	MemoryContext memory = CurrentMemoryContext;

	void restore() const noexcept
	{
		PG_exception_stack = handler;
		error_context_stack = context;
		CurrentMemoryContext = memory;
	}
};

// An exception boiled down to plain bytes, so that nothing is left to
// destroy when it is raised.
struct Failure
{
	bool pending = false;
	int sqlstate = ERRCODE_INTERNAL_ERROR;
	char message[256] = "unexpected exception";

	void set(int code, const char *text) noexcept;
	[[noreturn]] void raise() const;
};

// On a hot standby a conflict with recovery ends a session that is in a subtransaction,
// but only the statement of one that is in none.  Ours is not the user's, so the signal
// waits until it is over.
struct Subtransaction
{
	MemoryContext memory;
	ResourceOwner owner;
	bool conflicts_wait;
	sigset_t signals; // that were blocked before

	void begin() noexcept;
	void commit() noexcept;
	void roll_back(const char *what) noexcept;
	ErrorData *roll_back() noexcept;
	void undo() noexcept; // without an error

private:
	void abandon() noexcept;
	void end() noexcept;
};

// What a body leaves behind when it owns nothing but memory.
class MemoryAttempt
{
public:
	MemoryAttempt() noexcept;

	void begin() noexcept;
	int forget_error(bool (*expected)(int)) noexcept;
	void end() noexcept;

private:
	MemoryContext before_ = CurrentMemoryContext;
	MemoryContext own_ = nullptr;
	uint32 interrupts_held_ = InterruptHoldoffCount;
	uint32 cancels_held_ = QueryCancelHoldoffCount;
	int client_level_ = client_min_messages;
	int log_level_ = log_min_messages;
};

ErrorData *abort_transaction(MemoryContext memory) noexcept;

} // namespace detail

template <class Body>
auto
call(Body &&body)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	using Result = decltype(body());
	static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>);

	const detail::ServerState before;
	sigjmp_buf here;
	if (sigsetjmp(here, 0) != 0)
	{
		before.restore();
		throw PendingError{};
	}
	PG_exception_stack = &here;
	if constexpr (std::is_void_v<Result>)
	{
		body();
		before.restore();
	}
	else
	{
		const Result result = body();
		before.restore();
		return result;
	}
}

template <class Body>
auto
entry(Body &&body)
{
	detail::Failure failure;
	try
	{
		return body();
	}
	catch (const PendingError &)
	{
		failure.pending = true;
	}
	catch (const Error &error)
	{
		failure.set(error.sqlstate(), error.what());
	}
	catch (const std::bad_alloc &)
	{
		failure.set(ERRCODE_OUT_OF_MEMORY, "out of memory");
	}
	catch (const std::exception &error)
	{
		failure.set(ERRCODE_INTERNAL_ERROR, error.what());
	}
	catch (...)
	{
	}
	failure.raise();
}

// Not where a transaction is running.  The body may commit and go on, as some
// commands do.  Null when all went well; otherwise the error, in the memory
// context of the caller, who tells of it.
template <class Body>
const ErrorData *
in_transaction(Body &&body)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	const MemoryContext memory = CurrentMemoryContext;
	const ErrorData *volatile error = nullptr;

	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		body();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		error = detail::abort_transaction(memory);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	return error;
}

// after(failed) must not raise an error itself.
template <class Body, class After>
void
finally(Body &&body, After &&after)
{
	static_assert(noexcept(body()) &&noexcept(after(true)), "server code raises errors, not exceptions");
	PG_TRY();
	{
		body();
	}
	PG_CATCH();
	{
		after(true);
		PG_RE_THROW();
	}
	PG_END_TRY();
	after(false);
}

// Not in parallel mode.  The body's memory is its own affair: what it puts into
// the current context stays, also after a failure.  A cancel is not forgotten: it goes
// on once the subtransaction is undone.  A conflict with recovery (on a hot standby) is
// put off until then, so the body waits for nothing but locks, which end by deadlock_timeout.
// With a name for what it does, an error becomes one line of the server's log:
// "could not <what>: <error>".
template <class Body>
bool
attempt(Body &&body, const char *what = nullptr)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	detail::Subtransaction subtransaction;
	volatile bool succeeded = false;

	subtransaction.begin();
	PG_TRY();
	{
		body();
		subtransaction.commit();
		succeeded = true;
	}
	PG_CATCH();
	{
		subtransaction.roll_back(what);
	}
	PG_END_TRY();
	return succeeded;
}

// The same, for a caller that tells of the error or raises it again, a cancel too.  Null
// if there was none; else it is in the memory context that was current.
template <class Body>
ErrorData *
error_of(Body &&body)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	detail::Subtransaction subtransaction;
	ErrorData *volatile error = nullptr;

	subtransaction.begin();
	PG_TRY();
	{
		body();
		subtransaction.commit();
	}
	PG_CATCH();
	{
		error = subtransaction.roll_back();
	}
	PG_END_TRY();
	return error;
}

// For procedures, which may do so in the middle of a command.  The error is in the memory
// context that was current.
template <class Body>
ErrorData *
procedure_error_of(Body &&body)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	const MemoryContext memory = CurrentMemoryContext;
	ErrorData *volatile error = nullptr;

	PG_TRY();
	{
		body();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return error;
}

// As attempt(), but undone also where all went well: for a body that is only to answer a
// question.  0, or the SQLSTATE of its error.
template <class Body>
int
trial(Body &&body)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	detail::Subtransaction subtransaction;
	volatile int sqlstate = 0;

	subtransaction.begin();
	PG_TRY();
	{
		body();
		subtransaction.undo();
	}
	PG_CATCH();
	{
		sqlstate = geterrcode();
		subtransaction.roll_back(nullptr);
	}
	PG_END_TRY();
	return sqlstate;
}

// The body runs in a memory context of its own, which is dropped at its end; what is
// to outlive it is allocated elsewhere.  It takes no lock, opens no file or relation,
// pins no buffer, looks up no catalog: nothing that only the end of a transaction
// would give back.  Then this is possible anywhere but while another error is
// handled: outside of transactions, in parallel mode, with locks held.  The body's
// notices and warnings are not shown.  A cancel is not forgotten; nor are, if a test of
// SQLSTATEs is given, the errors that it does not expect.
template <class Body>
bool
attempt_in_memory(Body &&body, int *sqlstate = nullptr, bool (*expected)(int sqlstate) = nullptr)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	detail::MemoryAttempt attempt;
	volatile bool succeeded = false;

	PG_TRY();
	{
		attempt.begin();
		body();
		succeeded = true;
	}
	PG_CATCH();
	{
		const int forgotten = attempt.forget_error(expected);
		if (sqlstate != nullptr)
			*sqlstate = forgotten;
	}
	PG_END_TRY();
	attempt.end();
	return succeeded;
}

} // namespace remedy

// Defines a function callable from SQL; its body follows in braces.
#define REMEDY_FUNCTION(name)                                                                                          \
	static Datum name##_body(FunctionCallInfo fcinfo);                                                                 \
	REMEDY_EXPORT_BEGIN                                                                                                \
	PG_FUNCTION_INFO_V1(name);                                                                                         \
	Datum name(PG_FUNCTION_ARGS)                                                                                       \
	{                                                                                                                  \
		return remedy::entry([fcinfo] { return name##_body(fcinfo); });                                                \
	}                                                                                                                  \
	REMEDY_EXPORT_END                                                                                                  \
	static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
