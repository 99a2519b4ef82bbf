// The server's hooks, without their differences between versions.
//
// Whoever installs hooks gets one call each, and goes on with proceed(), which
// calls the hook that was there before or the server's own function.  Frames
// between a hook and proceed() hold plain data only: errors jump over them.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

PlannedStmt *proceed_plan(Query *query, const char *text, int options, ParamListInfo params) noexcept;
void proceed_start(QueryDesc *query, int flags) noexcept;
void proceed_run(QueryDesc *query, ScanDirection direction, uint64 count, bool once) noexcept;
void proceed_finish(QueryDesc *query) noexcept;
void proceed_end(QueryDesc *query) noexcept;

struct Run
{
	QueryDesc *query;
	ScanDirection direction;
	uint64 count;
	bool once; // meaningless from version 18 on

	void proceed() const noexcept { proceed_run(query, direction, count, once); }
};

struct Utility
{
	PlannedStmt *statement;
	const char *text;
	bool read_only_tree;
	ProcessUtilityContext context;
	ParamListInfo params;
	QueryEnvironment *environment;
	DestReceiver *dest;
	QueryCompletion *completion;

	void proceed() const noexcept;
};

struct Hooks
{
	void (*analysed)(Query *query);
	PlannedStmt *(*plan)(Query *query, const char *text, int options, ParamListInfo params);
	void (*start)(QueryDesc *query, int flags);
	void (*run)(QueryDesc *query, ScanDirection direction, uint64 count, bool once);
	void (*finish)(QueryDesc *query);
	void (*end)(QueryDesc *query);
	void (*utility)(const Utility &utility); // all but transactions' own, such as BEGIN and COMMIT
};

// Whoever installs them defines them; constant, so that link-time optimisation calls
// the functions directly.
extern const Hooks hooks;

// At most once in a process.
void install_hooks() noexcept;

} // namespace remedy::server
