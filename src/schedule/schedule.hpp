// schedule: what other rooms may use of it.
//
// Commands in the background.  Some commands must be a client's own (CREATE INDEX
// CONCURRENTLY, VACUUM, a procedure that commits); none of them can be run from a
// function.  They are run by a background worker, however the library is loaded.

#pragma once

#include "server/headers.hpp"

namespace remedy::schedule {

// From _PG_init.
void start() noexcept;

// One SQL command, run at top level in a database, with the rights of a role and
// search_path = pg_catalog, pg_temp; its rows are dropped.  Up to version 16 the role
// must be one that may log in.
struct Command
{
	Oid database;
	Oid role;
	const char *text; // in the encoding of its database
	const char *application_name;
};

enum class State
{
	waiting, // for its worker
	running,
	done,
	failed,
};

// Why a command failed, cut to size; what there is none of is empty.
struct Failure
{
	int sqlstate;
	char message[1024];
	char detail[1024];
	char hint[512];
	char context[1024];
};

// A command that was started.  It is the caller's until forgotten or the process
// ends; its worker does not outlive it.
struct Run;

// Null if no worker is free (max_worker_processes).
Run *start_command(const Command &command) noexcept;

// The process's latch is set when the worker starts and when it ends.  A command is
// done when its worker is gone, so that the worker is free for the next one.
State poll(const Run &run) noexcept;

// Of a failed command.
const Failure &failure(const Run &run) noexcept;

// Ends the worker, if it still runs.
void forget(Run *run) noexcept;

// For procedures that wait for commands, first thing: an error where the procedure
// could not commit, that is, inside a transaction block or a function.
void require_top_level(FunctionCallInfo call, const char *procedure) noexcept;

// Commits, runs the command, and waits for it holding neither snapshot nor lock,
// which CREATE INDEX CONCURRENTLY would wait for in turn.  Raises the command's
// error with its SQLSTATE.  When this process is cancelled or ends, so is the command.
void run_and_wait(const Command &command) noexcept;

} // namespace remedy::schedule
