#include "repetition/detection.hpp"

#include "observe/session.hpp"
#include "repetition/call_values.hpp"
#include "repetition/hints.hpp"
#include "repetition/keys.hpp"
#include "repetition/lineage.hpp"
#include "repetition/listener.hpp"
#include "repetition/reporting.hpp"
#include "repetition/settings.hpp"
#include "repetition/ties.hpp"
#include "repetition/values.hpp"
#include "server/catalogs.hpp"

namespace remedy::repetition {

detail::Memory detail::memory;
bool detail::noted = false;
std::uint32_t detail::outlook = 1;
std::uint64_t detail::ignored = 0;

namespace {

constexpr std::uint32_t suspicious_calls = 3; // in one unit of work

using detail::Constants;
using detail::memory;
using detail::noted;

// What look_at() found out for end_execution().
Execution execution; // fingerprint 0: nothing
Parent *held = nullptr;
bool may_loop = false;
PoolLink pool_link = {-1, 0, 0, 0, 0};

PgStat_Counter active_time = -1; // of this session, when it was looked at last

pg_noinline Shape &
shape_of(std::uint64_t fingerprint) noexcept
{
	if (Shape *const known = memory.shapes.find(fingerprint))
		return *known;
	Shape &shape = memory.shapes.add(fingerprint);

	if (is_hinted(fingerprint))
	{
		shape.disarmed = true;
		shape.disarms = 1;
	}
	return shape;
}

// The statement's entry remembers its shape, whose place may be another's by now.
inline Shape &
shape_of(const observe::Statement &statement) noexcept
{
	if (statement.entry == nullptr)
		return shape_of(statement.fingerprint);
	Shape *shape = static_cast<Shape *>(statement.entry->attached);
	if (unlikely(shape == nullptr || shape->fingerprint != statement.fingerprint))
		statement.entry->attached = shape = &shape_of(statement.fingerprint);
	else
		memory.shapes.use(*shape);
	return *shape;
}

Moment
moment_of(const observe::Statement &statement) noexcept
{
	return {statement.arrived, statement.waiting, IsTransactionBlock(), statement.transaction, observe::watch_number()};
}

// Suites and those who want to be told at once see everything.
bool
always_armed(const Moment &moment) noexcept
{
	return moment.watch != 0 || settings.action != action_record;
}

bool
is_observed(CmdType command) noexcept
{
	return command == CMD_SELECT || command == CMD_INSERT || command == CMD_UPDATE || command == CMD_DELETE;
}

} // namespace

void
analysed(const Query *query, Nanoseconds when)
{
	if (!is_observed(query->commandType) || query->queryId == 0)
		return;
	Shape &shape = shape_of(query->queryId);
	const Moment moment = {when, 0, false, 0, observe::watch_number()};
	const bool first_seen = !shape.described || shape.relations != relations_of(query);

	if (first_seen)
	{
		Shape described = shape;
		describe(query, described);
		if (shape.described)
			memory.fan_out.forget(shape.fingerprint);
		shape = described;
	}
	const bool settled = shape.settled_for == detail::outlook && !memory.fan_out.any_parent(moment, limits());
	if (!shape.has_constant_keys() || (settled && !first_seen))
		return;
	detail::Constants constants = {shape.fingerprint, {}};
	constant_values(query, shape, constants.values);
	memory.constants = constants;
}

namespace {

// A prepared statement whose shape gave way to others since it was analysed.
pg_noinline void
describe_prepared(Shape &shape) noexcept
{
	const Query *const query = prepared_query(shape.fingerprint);
	Shape described = shape;

	if (query == nullptr)
		return;
	describe(query, described);
	shape = described;
}

// As they were found when the statement was analysed last, if it was this one.
const ValueHash *
constants_of(const Shape &shape) noexcept
{
	return memory.constants.fingerprint == shape.fingerprint ? memory.constants.values : nullptr;
}

// Something repeats: what ran before it in this unit of work is worth a look next time.
pg_noinline void
arm_recent(std::uint64_t suspicious) noexcept
{
	for (const std::uint64_t fingerprint : memory.recent.fingerprints)
	{
		Shape *const shape = fingerprint == suspicious ? nullptr : memory.shapes.find(fingerprint);
		if (shape == nullptr || !shape->suspect())
			continue;
		look_again();
		withdraw_hint(fingerprint);
	}
}

void
find_unique_keys(Shape &shape) noexcept
{
	std::uint8_t unique = 0;

	for (unsigned key = 0; key < shape.key_count; ++key)
		unique |= static_cast<std::uint8_t>(key_is_unique(shape, key) << key);
	shape.unique_keys = unique;
	shape.unique_known = true;
}

// Compares the statement's keys with what earlier ones returned.
pg_noinline void
look_up(const observe::Statement &statement, Shape &shape, bool any_parent) noexcept
{
	FanOut &fan_out = memory.fan_out;
	const Moment moment = moment_of(statement);
	ValueHash values[keys_per_shape];

	if (!shape.unique_known && fan_out.holds(shape.fingerprint))
		find_unique_keys(shape);
	key_values(shape, statement.query->params, constants_of(shape), values);
	if (any_parent)
		execution = fan_out.look_up(shape, values, moment, limits(), find_tie);
	if (!moment.in_block && moment.watch == 0)
		pool_link = find_published(execution.linked(), shape, values, moment.now, parent_life, find_tie);
}

inline void
begin_execution(const observe::Statement &statement, Shape &shape, bool any_parent) noexcept
{
	const std::uint32_t unit = memory.fan_out.unit();
	const bool may_repeat = shape.key_count > 0 && !shape.never_repeated && shape.command == Command::select;

	if (shape.unit != unit)
	{
		shape.unit = unit;
		shape.calls = 0;
	}
	if (++shape.calls == suspicious_calls && may_repeat)
		arm_recent(shape.fingerprint);
	memory.recent.add(shape.fingerprint);
	if (may_repeat && (any_parent || any_published(statement.arrived, parent_life)))
		look_up(statement, shape, any_parent);
}

pg_noinline DestReceiver *
hold_output(const observe::Statement &statement, Shape &shape) noexcept
{
	QueryDesc *const query = statement.query;
	const Moment moment = moment_of(statement);
	FanOut &fan_out = memory.fan_out;

	// It would only take another parent's place.
	if (!fan_out.holds(shape.fingerprint) && !may_have_columns(query))
	{
		shape.barren = true;
		return nullptr;
	}
	Parent *parent = &fan_out.hold(shape.fingerprint, moment, limits());
	if (parent->column_count > 0 && !has_columns(query, *parent))
	{
		fan_out.forget(shape.fingerprint);
		parent = &fan_out.hold(shape.fingerprint, moment, limits());
	}
	if (parent->column_count == 0 && !server::catalogs_are_free())
		return nullptr;
	if (parent->column_count == 0)
		shape.barren = choose_columns(query, *parent) && parent->column_count == 0;
	if (parent->column_count == 0)
		return nullptr;
	held = parent;
	look_again();
	return note_values(query, *parent);
}

// Nothing is to be found out about the statement for the rest of the unit of work, if
// nothing else changes.
bool
is_settled(const Shape &shape, const Moment &moment, bool any_parent) noexcept
{
	const bool may_repeat = shape.key_count > 0 && !shape.never_repeated && shape.command == Command::select;
	const bool is_running = memory.loops.is_running(shape.fingerprint);

	const bool any_shared = !moment.in_block && any_published(moment.now, parent_life);

	return moment.watch == 0 && !any_parent && !any_shared &&
		   (!may_repeat || shape.calls >= suspicious_calls || is_running) &&
		   (!may_loop || memory.loops.is_settled(shape.fingerprint));
}

// From here on its executions are counted, no more.
void
settle(const observe::Statement &statement, Shape &shape, std::uint64_t *counter) noexcept
{
	observe::StatementEntry *const entry = statement.entry;

	shape.settled_for = detail::outlook;
	if (entry == nullptr || entry->fingerprint != statement.fingerprint)
		return;
	entry->settled_for = detail::outlook;
	entry->passed = counter == nullptr ? &detail::ignored : counter;
}

void
enter_unit(const observe::Statement &statement, const Moment &moment, const Limits &limits) noexcept
{
	const auto end = [](const Loop &loop) { end_report(memory.loops, loop); };

	if (memory.fan_out.enter(moment, limits))
	{
		memory.recent = {};
		end_child_reports(true);
		look_again();
	}
	else if (memory.loops.begins_stretch())
		look_again();
	if (!statement.counted)
		memory.loops.enter({moment.waiting, moment.in_block, moment.transaction, moment.watch}, limits.burst_gap, end);
}

// It shares its message with the one before, so no round trip is lost: the session was
// not idle in between.
bool
shares_message() noexcept
{
	const bool same = pgstat_track_activities && pgStatActiveTime == active_time;

	active_time = pgStatActiveTime;
	return same;
}

// Rows of RETURNING are a parent's like others.
bool
has_output(const QueryDesc &query) noexcept
{
	return query.operation == CMD_SELECT || query.plannedstmt->hasReturning;
}

DestReceiver *
look_closely(const observe::Statement &statement) noexcept
{
	Shape &shape = shape_of(statement);
	const Moment moment = moment_of(statement);
	const Limits now_limits = limits();

	enter_unit(statement, moment, now_limits);
	if (unlikely(!shape.described))
		describe_prepared(shape);
	const bool any_parent = memory.fan_out.any_parent(moment, now_limits);
	const bool repeats = !statement.counted && !shares_message() && !shape.never_repeated;
	may_loop = repeats && shape.table != 0;
	if (repeats)
		begin_execution(statement, shape, any_parent);
	if (has_output(*statement.query) && !shape.barren && (!shape.disarmed || always_armed(moment)))
		return hold_output(statement, shape);
	if (is_settled(shape, moment, any_parent) && !memory.loops.is_running(shape.fingerprint))
	{
		settle(statement, shape, nullptr);
		may_loop = false;
	}
	return nullptr;
}

} // namespace

DestReceiver *
detail::look_at(const observe::Statement &statement) noexcept
{
	if (statement.fingerprint == 0 || !is_observed(statement.query->operation))
		return nullptr;
	execution.fingerprint = 0;
	held = nullptr;
	may_loop = false;
	pool_link.place = -1;
	DestReceiver *const receiver = look_closely(statement);
	noted = execution.fingerprint != 0 || held != nullptr || may_loop || pool_link.place >= 0;
	return receiver;
}

namespace {

void
release_output(const observe::Statement &statement, bool first_run) noexcept
{
	memory.fan_out.release(*held, statement.ended, statement.rows, first_run);
	if (!IsTransactionBlock() && observe::watch_number() == 0)
		publish(*held, observe::statement_text(statement.fingerprint), statement.rows, statement.ended);
	Shape &shape = shape_of(statement.fingerprint);
	if (!first_run)
		return;
	const bool was_disarmed = shape.disarmed;
	shape.held();
	if (shape.disarmed && !was_disarmed)
		hint(statement.fingerprint);
}

void
prove_parent(const Child &child) noexcept
{
	if (Shape *const shape = memory.shapes.find(memory.fan_out.likeliest_parent(child).fingerprint))
	{
		shape->proved();
		look_again();
	}
}

// A child that is found may be the parent that others waited for.
void
report_found() noexcept
{
	FanOut &fan_out = memory.fan_out;
	bool more = true;

	while (more)
	{
		more = false;
		fan_out.each_child([&](Child &child) {
			if (child.found || !fan_out.decide(child, limits().threshold))
				return;
			report(fan_out, memory.shapes, child);
			more = true;
		});
	}
}

} // namespace

namespace {

bool
has_name() noexcept
{
	return ActivePortal != nullptr && ActivePortal->prepStmtName != nullptr && ActivePortal->prepStmtName[0] != '\0';
}

Call
call_of(const observe::Statement &statement, const Shape &shape) noexcept
{
	ValueHash values[keys_per_shape];

	key_values(shape, statement.query->params, constants_of(shape), values);
	return {shape.fingerprint,
			shape.table,
			shape.command,
			shape.one_row,
			shape.key_count > 0,
			shape.unique_keys != 0,
			execution.fingerprint != 0 && execution.linked(),
			has_name(),
			combined(values, shape.key_count),
			shape.command == Command::select ? all_values(*statement.query) : 0,
			statement.execution,
			statement.waiting};
}

// A child that is found is no loop of its own.
void
note_loop(const observe::Statement &statement, Shape &shape) noexcept
{
	Loops &loops = memory.loops;

	if (memory.fan_out.is_found(shape.fingerprint))
	{
		loops.forget(shape.fingerprint, [&](const Loop &loop) { drop_report(loops, loop); });
		return;
	}
	if (!shape.unique_known && shape.command == Command::select && shape.key_count > 0 &&
		loops.is_suspicious(shape.fingerprint))
		find_unique_keys(shape);
	const Call call = call_of(statement, shape);
	const auto note_call = [&]() { return loops.note(call, 2 * limits().threshold, limits().burst_gap / 2); };
	Loop *const loop = note_call();
	if (loop == nullptr || !loop->running)
		return;
	std::uint64_t *const counter = report(loops, memory.shapes, *loop);
	if (counter != nullptr && loops.is_over(*loop, *counter))
	{
		--*counter; // this one may begin another
		loops.forget(shape.fingerprint, [&](const Loop &over) { end_report(loops, over); });
		note_call();
		return;
	}
	if (is_settled(shape, moment_of(statement), memory.fan_out.any_parent(moment_of(statement), limits())))
		settle(statement, shape, counter);
	act(loops, memory.shapes, *loop);
}

// Whether the execution counts for a loop that several sessions share.
bool
note_pooled(const observe::Statement &statement) noexcept
{
	const PoolLoop loop = note(pool_link, statement.fingerprint, statement.ended, statement.execution,
							   statement.waiting, limits().threshold);

	if (loop.found && !loop.reported)
		report(memory.shapes, pool_link, loop, statement.fingerprint);
	return loop.found;
}

} // namespace

void
detail::end_execution(const observe::Statement &statement, bool first_run)
{
	Child *child = nullptr;

	if (first_run && execution.fingerprint != 0)
		child = memory.fan_out.note(execution, statement.ended, statement.execution, statement.waiting);
	if (held != nullptr)
		release_output(statement, first_run);
	held = nullptr;
	if (child != nullptr && child->linked == suspicious_calls)
		prove_parent(*child);
	const bool is_pooled = first_run && pool_link.place >= 0 && note_pooled(statement);
	if (is_pooled && child != nullptr && child->found)
		drop_report(memory.fan_out, *child);
	else if (child != nullptr && child->found)
		report(memory.fan_out, memory.shapes, *child);
	else if (child != nullptr)
		report_found();
	if (first_run && may_loop && !is_pooled)
		note_loop(statement, shape_of(statement));
	if (child != nullptr)
		act(memory.fan_out, memory.shapes);
}

// The shapes stay: a prepared statement is not analysed again.
void
forget_units()
{
	forget_reports();
	memset(static_cast<void *>(&memory.fan_out), 0, sizeof(FanOut));
	memset(static_cast<void *>(&memory.loops), 0, sizeof(Loops));
	memory.recent = {};
	look_again();
}

void
reset(const observe::Scope &)
{
	forget_units();
	withdraw_all();
}

void
new_request()
{
	memory.fan_out.cut();
	memory.loops.cut();
	look_again();
}

// What a transaction wrote is gone, and with it what it did in vain: tests do so.  If
// nothing was looked at in it, what was is another's.
void
writing_undone()
{
	if (memory.fan_out.transaction() != observe::session()->transaction.number)
		return;
	if (memory.fan_out.in_block())
		end_child_reports(false);
	memory.loops.roll_back([](const Loop &loop) { drop_report(memory.loops, loop); });
	look_again();
}

void
look_again() noexcept
{
	++detail::outlook;
}

void
start_detection() noexcept
{
	define_settings();
	start_ties();
	declare_hints();
	declare_shared_parents();
}

} // namespace remedy::repetition
