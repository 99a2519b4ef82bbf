#include "repetition/detection.hpp"

#include "repetition/detector.hpp"
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
detail::Found detail::found = {{}, nullptr, false, {-1, 0, 0, 0, 0}};

namespace {

using namespace detail;

PgStat_Counter active_time = -1; // of this session, when it was looked at last

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

Shape &
detail::shape_of(std::uint64_t fingerprint) noexcept
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
Shape &
detail::shape_of(const observe::Statement &statement) noexcept
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
detail::moment_of(const observe::Statement &statement) noexcept
{
	return {statement.arrived, statement.waiting, IsTransactionBlock(), statement.transaction, observe::watch_number()};
}

const ValueHash *
detail::constants_of(const Shape &shape) noexcept
{
	return memory.constants.fingerprint == shape.fingerprint ? memory.constants.values : nullptr;
}

void
detail::find_unique_keys(Shape &shape) noexcept
{
	std::uint8_t unique = 0;

	for (unsigned key = 0; key < shape.key_count; ++key)
		unique |= static_cast<std::uint8_t>(key_is_unique(shape, key) << key);
	shape.unique_keys = unique;
	shape.unique_known = true;
}

bool
detail::is_settled(const Shape &shape, const Moment &moment, bool any_parent) noexcept
{
	const bool may_repeat = shape.key_count > 0 && !shape.never_repeated && shape.command == Command::select;
	const bool is_running = memory.loops.is_running(shape.fingerprint);

	const bool any_shared = !moment.in_block && any_published(moment.now, parent_life);

	return moment.watch == 0 && !any_parent && !any_shared &&
		   (!may_repeat || shape.calls >= suspicious_calls || is_running) &&
		   (!found.may_loop || memory.loops.is_settled(shape.fingerprint));
}

void
detail::settle(const observe::Statement &statement, Shape &shape, std::uint64_t *counter) noexcept
{
	observe::StatementEntry *const entry = statement.entry;

	shape.settled_for = detail::outlook;
	if (entry == nullptr || entry->fingerprint != statement.fingerprint)
		return;
	entry->settled_for = detail::outlook;
	entry->passed = counter == nullptr ? &detail::ignored : counter;
}

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
		found.execution = fan_out.look_up(shape, values, moment, limits(), find_tie);
	if (!moment.in_block && moment.watch == 0)
		found.pool_link = find_published(found.execution.linked(), shape, values, moment.now, parent_life, find_tie);
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
	found.held = parent;
	look_again();
	return note_values(query, *parent);
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
	found.may_loop = repeats && shape.table != 0;
	if (repeats)
		begin_execution(statement, shape, any_parent);
	if (has_output(*statement.query) && !shape.barren && (!shape.disarmed || always_armed(moment)))
		return hold_output(statement, shape);
	if (is_settled(shape, moment, any_parent) && !memory.loops.is_running(shape.fingerprint))
	{
		settle(statement, shape, nullptr);
		found.may_loop = false;
	}
	return nullptr;
}

} // namespace

DestReceiver *
detail::look_at(const observe::Statement &statement) noexcept
{
	if (statement.fingerprint == 0 || !is_observed(statement.query->operation))
		return nullptr;
	found.execution.fingerprint = 0;
	found.held = nullptr;
	found.may_loop = false;
	found.pool_link.place = -1;
	DestReceiver *const receiver = look_closely(statement);
	noted = found.execution.fingerprint != 0 || found.held != nullptr || found.may_loop || found.pool_link.place >= 0;
	return receiver;
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
