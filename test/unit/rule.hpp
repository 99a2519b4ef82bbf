// The whole rule without a server: what a session's detector does with its statements, step by step as in
// repetition/detection.cpp, but for loops over a pool. For stories, the fuzzer and the simulator.
//
// Promises: allocates nothing and is plain data, as large as a session's memory and its entries are.

#pragma once

#include <algorithm>
#include <cstdint>

#include "repetition/recent.hpp"
#include "repetition/fan_out.hpp"
#include "repetition/loops.hpp"
#include "repetition/shapes.hpp"

namespace rule {

using namespace remedy::repetition;
using remedy::Nanoseconds;

constexpr std::uint32_t suspicious_calls = 3;

struct Statement
{
	std::uint64_t fingerprint;
	std::uint32_t table = 0; // 0: it cannot loop
	Command command = Command::select;
	bool one_row = false;
	bool never_repeated = false;
	bool named = false;
	std::uint8_t unique_keys = 0;
	std::uint8_t key_count = 0;
	Column keys[keys_per_shape] = {};
	std::uint8_t output_count = 0; // 0: it is not kept as a parent
	Column outputs[columns_per_parent] = {};
};

// One execution.
struct Run
{
	ValueHash keys[keys_per_shape] = {};
	ValueHash values = 0; // all of them
	unsigned rows = 0;
	const ValueHash *output = nullptr; // row by row
	Nanoseconds execution = 100'000;
	bool failed = false;
};

// A finding of one unit of work.
struct Unit
{
	std::uint64_t fingerprint; // 0: none
	std::uint64_t parent;      // 0: a loop's
	std::uint32_t stamp;
	LoopKind kind;
	bool bulk;
	std::uint64_t least;
	std::uint64_t repeats;
};

class Detector
{
public:
	// Calls found(unit) for each finding of a unit of work that is over.
	template <class Found>
	void run(const Statement &statement, const Run &run, Found &&found) noexcept
	{
		clock_ += waiting_;
		transaction_ += !in_block_;
		Entry &entry = entry_of(statement.fingerprint);
		const bool quiet =
			entry.settled_for == outlook_ && fan_out_.follow(
												 transaction_, waiting_, [this] { return in_block_; }, limits_);
		if (quiet && loops_.pass())
		{
			recent_.add(statement.fingerprint);
			++*entry.passed;
		}
		else
			look_at(statement, run, entry, found);
		clock_ += run.execution;
		waiting_ = 0;
		last_transaction_ = transaction_;
		last_watch_ = watch_;
		cut_ = false;
	}

	// Pauses so long before the next statement, more than before.
	void pause(Nanoseconds duration) noexcept { waiting_ += duration; }

	void begin() noexcept
	{
		++transaction_;
		in_block_ = true;
	}

	void commit() noexcept { in_block_ = false; }

	// The end of a transaction that wrote.
	void roll_back() noexcept
	{
		if (fan_out_.in_block())
			for (Unit &unit : child_units_)
				unit = {};
		loops_.roll_back([this](const Loop &loop) { unit_of(loop) = {}; });
		++outlook_;
		in_block_ = false;
	}

	void watch() noexcept
	{
		watch_ = ++watches_;
		++outlook_;
	}

	void stop_watching() noexcept { watch_ = 0; }

	// Another request, or another user of the connection.
	void cut() noexcept
	{
		fan_out_.cut();
		loops_.cut();
		++outlook_;
		cut_ = true;
	}

	template <class Found>
	void finish(Found &&found) noexcept
	{
		loops_.each_running([&](const Loop &loop) { end(loop, found); });
		for (Unit &unit : loop_units_)
			end(unit, found);
		end_children(found);
	}

	FanOut &fan_out() noexcept { return fan_out_; }
	Loops &loops() noexcept { return loops_; }
	bool in_block() const noexcept { return in_block_; }

	// Findings of units of work that go on.
	template <class Visit>
	void each_unit(Visit &&visit) const noexcept
	{
		for (const Unit &unit : child_units_)
			if (unit.fingerprint != 0)
				visit(unit);
		for (const Unit &unit : loop_units_)
			if (unit.fingerprint != 0)
				visit(unit);
	}

	// Where executions of a settled statement are counted; null if they are not.
	const Unit *passed_to(std::uint64_t fingerprint) const noexcept
	{
		const Entry &entry = entries_[fingerprint % entry_limit];
		if (entry.fingerprint != fingerprint || entry.settled_for != outlook_ || entry.passed == &ignored_)
			return nullptr;
		return &*std::find_if(loop_units_, loop_units_ + loop_limit,
							  [&](const Unit &unit) { return &unit.repeats == entry.passed; });
	}

	// The finding of a loop; null if it is another's place.
	const Unit *unit_at(const Loop &loop) const noexcept
	{
		const Unit &unit = loop_units_[loops_.place_of(loop)];
		return unit.stamp == loop.stamp ? &unit : nullptr;
	}

	// Whether the next statement belongs to the chain of the one before, as it is promised.
	bool chain_goes_on() const noexcept
	{
		if (watch_ != 0 || last_watch_ != 0)
			return watch_ == last_watch_;
		return !cut_ && (waiting_ <= limits_.burst_gap || (in_block_ && transaction_ == last_transaction_));
	}

	// With these the session begins.
	Limits limits_ = {5, 50'000'000, 1'000'000'000};
	TieFinder tie_ = nullptr;

private:
	static constexpr unsigned entry_limit = 512;

	// The session's entry of a statement.
	struct Entry
	{
		std::uint64_t fingerprint;
		std::uint32_t settled_for;
		std::uint64_t *passed;
	};

	Entry &entry_of(std::uint64_t fingerprint) noexcept
	{
		Entry &entry = entries_[fingerprint % entry_limit];
		if (entry.fingerprint != fingerprint)
			entry = {fingerprint, 0, &ignored_};
		return entry;
	}

	Shape &shape_of(const Statement &statement) noexcept
	{
		if (Shape *const known = shapes_.find(statement.fingerprint))
			return *known;
		Shape &shape = shapes_.add(statement.fingerprint);
		shape.table = statement.table;
		shape.command = statement.command;
		shape.one_row = statement.one_row;
		shape.never_repeated = statement.never_repeated;
		shape.described = shape.unique_known = true;
		shape.unique_keys = statement.unique_keys;
		shape.barren = statement.output_count == 0;
		shape.key_count = statement.key_count;
		for (unsigned key = 0; key < statement.key_count; ++key)
			shape.keys[key].column = statement.keys[key];
		return shape;
	}

	template <class Found>
	void look_at(const Statement &statement, const Run &run, Entry &entry, Found &&found) noexcept
	{
		const Moment moment = {clock_, waiting_, in_block_, transaction_, watch_};
		Shape &shape = shape_of(statement);
		Execution execution = {};
		Parent *held = nullptr;
		bool may_loop = shape.table != 0 && !shape.never_repeated;

		enter(moment, found);
		const bool any_parent = fan_out_.any_parent(moment, limits_);
		if (!shape.never_repeated)
			begin_execution(shape, run, moment, any_parent, execution);
		if (shape.command == Command::select && !shape.barren && (!shape.disarmed || watch_ != 0))
			held = hold(statement, run, moment);
		else if (is_settled(shape, any_parent, may_loop) && !loops_.is_running(shape.fingerprint))
		{
			settle(shape, entry, &ignored_);
			may_loop = false;
		}
		if (!run.failed)
			end_execution(statement, run, shape, entry, execution, held, may_loop, found);
	}

	template <class Found>
	void enter(const Moment &moment, Found &&found) noexcept
	{
		if (fan_out_.enter(moment, limits_))
		{
			recent_ = {};
			end_children(found);
			++outlook_;
		}
		else if (loops_.begins_stretch())
			++outlook_;
		loops_.enter({moment.waiting, moment.in_block, moment.transaction, moment.watch}, limits_.burst_gap,
					 [&](const Loop &loop) { end(loop, found); });
	}

	void begin_execution(Shape &shape, const Run &run, const Moment &moment, bool any_parent,
						 Execution &execution) noexcept
	{
		if (shape.unit != fan_out_.unit())
		{
			shape.unit = fan_out_.unit();
			shape.calls = 0;
		}
		if (++shape.calls == suspicious_calls && may_repeat(shape))
			arm_recent(shape.fingerprint);
		recent_.add(shape.fingerprint);
		if (may_repeat(shape) && any_parent)
			execution = fan_out_.look_up(shape, run.keys, moment, limits_, tie_);
	}

	static bool may_repeat(const Shape &shape) noexcept
	{
		return shape.key_count > 0 && !shape.never_repeated && shape.command == Command::select;
	}

	void arm_recent(std::uint64_t suspicious) noexcept
	{
		for (const std::uint64_t fingerprint : recent_.fingerprints)
		{
			Shape *const shape = fingerprint == suspicious ? nullptr : shapes_.find(fingerprint);
			outlook_ += shape != nullptr && shape->suspect();
		}
	}

	Parent *hold(const Statement &statement, const Run &run, const Moment &moment) noexcept
	{
		Parent &parent = fan_out_.hold(statement.fingerprint, moment, limits_);
		if (parent.column_count == 0)
			for (unsigned i = 0; i < statement.output_count; ++i)
				parent.columns[parent.column_count++] = statement.outputs[i];
		for (unsigned row = 0; row < run.rows; ++row)
			for (unsigned i = 0; i < parent.column_count; ++i)
				parent.values.insert(in_column(run.output[row * parent.column_count + i], i));
		++outlook_;
		return &parent;
	}

	template <class Found>
	void end_execution(const Statement &statement, const Run &run, Shape &shape, Entry &entry,
					   const Execution &execution, Parent *held, bool may_loop, Found &&found) noexcept
	{
		const Nanoseconds now = clock_ + run.execution;
		Child *const child =
			execution.fingerprint == 0 ? nullptr : fan_out_.note(execution, now, run.execution, waiting_);
		if (held != nullptr)
		{
			fan_out_.release(*held, now, run.rows, true);
			shape.held();
		}
		if (child != nullptr && child->linked == suspicious_calls)
			prove_parent(*child);
		if (child != nullptr && child->found)
			report(*child);
		else if (child != nullptr)
			report_found();
		if (may_loop)
			note_loop(statement, run, shape, entry, execution, found);
	}

	void prove_parent(const Child &child) noexcept
	{
		if (Shape *const shape = shapes_.find(fan_out_.likeliest_parent(child).fingerprint))
		{
			shape->proved();
			++outlook_;
		}
	}

	void report_found() noexcept
	{
		for (bool more = true; more;)
		{
			more = false;
			fan_out_.each_child([&](Child &child) {
				if (child.found || !fan_out_.decide(child, limits_.threshold))
					return;
				report(child);
				more = true;
			});
		}
	}

	void report(const Child &child) noexcept
	{
		Unit &unit = child_units_[fan_out_.place_of(child)];
		if (unit.stamp != child.stamp && !fan_out_.has_parent(child))
			return;
		if (unit.stamp != child.stamp)
			unit = {child.fingerprint, fan_out_.parent_of(child).fingerprint, child.stamp, LoopKind::none, false, 1, 0};
		unit.repeats = child.repeats();
	}

	template <class Found>
	void note_loop(const Statement &statement, const Run &run, Shape &shape, Entry &entry, const Execution &execution,
				   Found &&found) noexcept
	{
		if (fan_out_.is_found(shape.fingerprint))
		{
			loops_.forget(shape.fingerprint, [this](const Loop &loop) { unit_of(loop) = {}; });
			return;
		}
		const bool linked = execution.fingerprint != 0 && execution.linked();
		const Call call = {shape.fingerprint,
						   shape.table,
						   shape.command,
						   shape.one_row,
						   shape.key_count > 0,
						   shape.unique_keys != 0,
						   linked,
						   statement.named,
						   combined(run.keys, shape.key_count),
						   shape.command == Command::select ? run.values : 0,
						   run.execution,
						   waiting_};
		Loop *const loop = loops_.note(call, 2 * limits_.threshold, limits_.burst_gap / 2);
		if (loop == nullptr || !loop->running)
			return;
		Unit &unit = report(*loop, found);
		if (loops_.is_over(*loop, unit.repeats))
			loops_.forget(shape.fingerprint, [&](const Loop &over) { end(over, found); });
		else if (is_settled(shape, fan_out_.any_parent({clock_, 0, in_block_, transaction_, watch_}, limits_), true))
			settle(shape, entry, &unit.repeats);
	}

	static ValueHash combined(const ValueHash *values, unsigned count) noexcept
	{
		ValueHash hash = 0;
		for (unsigned i = 0; i < count; ++i)
		{
			if (values[i] == 0)
				return 0;
			hash = in_column(hash ^ values[i], i);
		}
		return hash;
	}

	template <class Found>
	Unit &report(const Loop &loop, Found &&found) noexcept
	{
		Unit &unit = unit_of(loop);
		if (unit.fingerprint != 0 && unit.stamp != loop.stamp)
		{
			end(unit, found);
			++outlook_; // that statement may count here
		}
		if (unit.fingerprint == 0)
			unit = {loop.fingerprint, 0, loop.stamp, loop.kind, false, loop.found_at, loop.first_repeats()};
		else
			++unit.repeats;
		return unit;
	}

	bool is_settled(const Shape &shape, bool any_parent, bool may_loop) const noexcept
	{
		return watch_ == 0 && !any_parent &&
			   (!may_repeat(shape) || shape.calls >= suspicious_calls || loops_.is_running(shape.fingerprint)) &&
			   (!may_loop || loops_.is_settled(shape.fingerprint));
	}

	void settle(Shape &shape, Entry &entry, std::uint64_t *counter) noexcept
	{
		shape.settled_for = entry.settled_for = outlook_;
		entry.passed = counter;
	}

	Unit &unit_of(const Loop &loop) noexcept { return loop_units_[loops_.place_of(loop)]; }

	template <class Found>
	void end(const Loop &loop, Found &&found) noexcept
	{
		Unit &unit = unit_of(loop);
		if (unit.stamp != loop.stamp)
			return;
		unit.bulk = loops_.is_bulk_load(loop, unit.repeats);
		end(unit, found);
	}

	template <class Found>
	void end_children(Found &&found) noexcept
	{
		for (Unit &unit : child_units_)
			end(unit, found);
	}

	template <class Found>
	void end(Unit &unit, Found &&found) noexcept
	{
		if (unit.fingerprint != 0 && unit.repeats >= unit.least)
			found(unit);
		unit = {};
	}

	FanOut fan_out_ = {};
	Loops loops_ = {};
	ShapeTable shapes_ = {};
	Recent recent_ = {};
	Unit child_units_[child_limit] = {};
	Unit loop_units_[loop_limit] = {};
	Entry entries_[entry_limit] = {};
	std::uint64_t ignored_ = 0;
	std::uint32_t outlook_ = 1;
	Nanoseconds clock_ = 1'000'000'000;
	Nanoseconds waiting_ = 0;
	bool in_block_ = false;
	std::uint32_t transaction_ = 0;
	std::uint32_t watch_ = 0;
	std::uint32_t watches_ = 0;
	std::uint32_t last_transaction_ = 0; // those of the statement before
	std::uint32_t last_watch_ = 0;
	bool cut_ = false;
};

} // namespace rule
