#include "repetition/detector.hpp"

#include "observe/session.hpp"
#include "repetition/call_values.hpp"
#include "repetition/detection.hpp"
#include "repetition/hints.hpp"
#include "repetition/reporting.hpp"

namespace remedy::repetition {

namespace {

using namespace detail;

void
release_output(const observe::Statement &statement, bool first_run) noexcept
{
	memory.fan_out.release(*found.held, statement.ended, statement.rows, first_run);
	if (!IsTransactionBlock() && observe::watch_number() == 0)
		publish(*found.held, observe::statement_text(statement.fingerprint), statement.rows, statement.ended);
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
			found.execution.fingerprint != 0 && found.execution.linked(),
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
	const PoolLoop loop = note(found.pool_link, statement.fingerprint, statement.ended, statement.execution,
							   statement.waiting, limits().threshold);

	if (loop.found && !loop.reported)
		report(memory.shapes, found.pool_link, loop, statement.fingerprint);
	return loop.found;
}

} // namespace

void
detail::end_execution(const observe::Statement &statement, bool first_run)
{
	Child *child = nullptr;

	if (first_run && found.execution.fingerprint != 0)
		child = memory.fan_out.note(found.execution, statement.ended, statement.execution, statement.waiting);
	if (found.held != nullptr)
		release_output(statement, first_run);
	found.held = nullptr;
	if (child != nullptr && child->linked == suspicious_calls)
		prove_parent(*child);
	const bool is_pooled = first_run && found.pool_link.place >= 0 && note_pooled(statement);
	if (is_pooled && child != nullptr && child->found)
		drop_report(memory.fan_out, *child);
	else if (child != nullptr && child->found)
		report(memory.fan_out, memory.shapes, *child);
	else if (child != nullptr)
		report_found();
	if (first_run && found.may_loop && !is_pooled)
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

} // namespace remedy::repetition
