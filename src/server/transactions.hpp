// The transactions of a procedure that commits.
//
// A procedure runs in steps, each a transaction.  What a step does is in a subtransaction,
// so that the procedure can go on after its error: to try again, or to note why it failed.
// Between steps nothing is locked and nothing is seen: whoever waits there holds up nobody.

#pragma once

#include "server/guard.hpp"

namespace remedy {

struct Patience
{
	int timeout_ms; // that a lock is waited for at a time
	int tries;
};

// For a procedure's first word: ends the transaction that its CALL has begun.
void commit() noexcept;
void roll_back() noexcept;

void begin_step() noexcept;
void set_locally(const char *setting, const char *value) noexcept;
void set_lock_timeout(int ms) noexcept;

// Null, or the error of the step, which is undone.
template <class Body>
ErrorData *
try_step(Body &&body) noexcept
{
	begin_step();
	ErrorData *const error = error_of(body);
	commit();
	return error;
}

template <class Body>
void
step(Body &&body) noexcept
{
	if (ErrorData *const error = try_step(body))
		ReThrowError(error);
}

// To be called after each failed try of a step that needs locks: returns after a random
// time if it is to be tried again; else raises the error.
void be_patient(ErrorData *error, const Patience &patience, int tries) noexcept;

// A step that is tried until it has got its locks.
template <class Body>
void
patient_step(const Patience &patience, Body &&body) noexcept
{
	for (int tries = 1;; ++tries)
	{
		ErrorData *const error = try_step([&]() noexcept {
			set_lock_timeout(patience.timeout_ms);
			body();
		});
		if (error == nullptr)
			return;
		be_patient(error, patience, tries);
	}
}

// Waits, and sees to interrupts.
void wait_ms(double ms) noexcept;

double ms_since(instr_time start) noexcept;

inline instr_time
clock_now() noexcept
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	return now;
}

} // namespace remedy
