// Any bytes are a session's statements: they are played to the rule, and after each what must always hold is checked.
// For the fuzzer, and for a unit test where there is none.
//
// The first byte is the threshold. Then each is a step: below 192 a statement of 32 (how: by the high bits), else what
// happens between statements; some steps take the next byte, too.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "rule.hpp"

#define REQUIRE(...) ((__VA_ARGS__) ? (void)0 : rule::fail(__LINE__, #__VA_ARGS__))

namespace rule {

[[noreturn]] inline void
fail(int line, const char *what)
{
	std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, line, what);
	std::abort();
}

constexpr unsigned statement_count = 32;
constexpr unsigned table_count = 6;
constexpr Nanoseconds millisecond = 1'000'000;
constexpr Nanoseconds gap = 50 * millisecond;

// Column 1 is the primary key, 2 references the next table's, and 3 the same as 2 of another.
inline Tie
tie(Column key, Column output)
{
	const auto target = [](Column column) { return column.number == 1 ? 0 : column.relation % table_count + 1; };
	if (key == output)
		return Tie::same_column;
	if ((target(key) == output.relation && output.number == 1) || (target(output) == key.relation && key.number == 1))
		return Tie::foreign_key;
	return target(key) != 0 && target(key) == target(output) ? Tie::sibling : Tie::none;
}

// All kinds of them: reads with and without keys and outputs, writes, and what cannot repeat.
inline Statement
statement_of(unsigned number)
{
	Statement statement = {number + 1};
	statement.table = number % 11 == 10 ? 0 : 1 + number % table_count;
	statement.command = number < 22 ? Command::select : static_cast<Command>(1 + number % 3);
	statement.one_row = number % 2 == 0;
	statement.named = number % 4 == 0;
	statement.never_repeated = number == 21;
	statement.key_count = static_cast<std::uint8_t>(number < 4 ? 0 : 1 + number % 7 % keys_per_shape);
	statement.unique_keys = number % 3 == 0;
	statement.output_count = static_cast<std::uint8_t>(number < 16 ? 1 + number % 3 : 0);
	for (unsigned i = 0; i < statement.key_count; ++i)
		statement.keys[i] = {1 + number % table_count, static_cast<std::int16_t>(1 + (number / 6 + i) % 3)};
	for (unsigned i = 0; i < statement.output_count; ++i)
		statement.outputs[i] = {1 + number % table_count, static_cast<std::int16_t>(1 + i)};
	return statement;
}

class Stream
{
public:
	Stream(const std::uint8_t *bytes, std::size_t size) : next_(bytes), end_(bytes + size)
	{
		for (unsigned number = 0; number < statement_count; ++number)
			statements_[number] = statement_of(number);
		detector_->tie_ = tie;
		detector_->limits_.threshold = 2 + byte() % 9;
	}

	void play()
	{
		while (next_ != end_)
			step();
		detector_->finish([this](const Unit &unit) { over(unit); });
	}

	unsigned findings() const { return findings_; }

private:
	unsigned byte() { return next_ == end_ ? 0 : *next_++; }

	void step()
	{
		const unsigned step = byte();
		if (step >= 192)
			between((step - 192) / 4, step % 4);
		else if (step < 96)
			run(statements_[step % statement_count], byte(), false);
		else if (step < 128)
			run(statements_[step % statement_count], returned_ + byte() % 4, step % 8 == 0);
		else
			repeat(statements_[step % statement_count], byte(), step >= 160);
	}

	// A loop over what was returned, or over other keys; or the same again.
	void repeat(const Statement &statement, unsigned how, bool same)
	{
		unsigned key = how >= 128 ? returned_ : 100 + how % 8;
		for (unsigned times = 1 + how % 32; times > 0; --times)
			run(statement, same ? key : key++, false);
	}

	void between(unsigned what, unsigned how)
	{
		switch (what)
		{
		case 0:
			return detector_->begin();
		case 1:
			return detector_->commit();
		case 2:
			return detector_->roll_back();
		case 3:
			return detector_->watch();
		case 4:
			return detector_->stop_watching();
		case 5:
			return detector_->cut();
		case 6:
			return detector_->pause(gap / 2 + how);
		case 7:
			return detector_->pause(gap + how);
		case 8:
			return detector_->pause(1000 * millisecond + how);
		default:
			return detector_->pause(how * millisecond);
		}
	}

	void run(const Statement &statement, unsigned key, bool failed)
	{
		Run run;
		ValueHash output[4 * columns_per_parent];
		for (unsigned i = 0; i < statement.key_count; ++i)
			run.keys[i] = key % 61 == 60 ? 0 : in_column(key + (i > 0), 77);
		run.values = key % 67 == 66 ? 0 : in_column(key, 78);
		run.failed = failed;
		if (statement.output_count > 0)
		{
			run.rows = key % 5;
			run.output = output;
			returned_ = key * 3 % 256;
			for (unsigned i = 0; i < run.rows * statement.output_count; ++i)
				output[i] = in_column(returned_ + i / statement.output_count, 77);
		}
		const Unit *const counted = detector_->passed_to(statement.fingerprint);
		REQUIRE(counted == nullptr || (counted->fingerprint == statement.fingerprint && counted->parent == 0));
		if (!detector_->chain_goes_on())
			std::fill(std::begin(calls_in_chain_), std::end(calls_in_chain_), 0);
		++calls_in_chain_[statement.fingerprint - 1];
		detector_->run(statement, run, [this](const Unit &unit) { over(unit); });
		check_units();
	}

	const Statement &of(std::uint64_t fingerprint) const
	{
		REQUIRE(fingerprint >= 1 && fingerprint <= statement_count);
		return statements_[fingerprint - 1];
	}

	void over(const Unit &unit)
	{
		const unsigned threshold = detector_->limits_.threshold;
		++findings_;
		check(unit);
		REQUIRE(unit.repeats >= (unit.parent != 0 ? threshold : 2 * threshold));
	}

	void check(const Unit &unit) const
	{
		const Statement &statement = of(unit.fingerprint);
		REQUIRE(!statement.never_repeated && unit.repeats > 0);
		if (unit.parent != 0)
			REQUIRE(of(unit.parent).output_count > 0 && unit.kind == LoopKind::none);
		if (unit.parent != 0 || unit.kind == LoopKind::lookup || unit.kind == LoopKind::duplicate)
			REQUIRE(statement.command == Command::select && statement.key_count > 0);
		if (unit.kind == LoopKind::lookup)
			REQUIRE(statement.unique_keys != 0);
		if (unit.kind == LoopKind::write)
			REQUIRE(statement.command == Command::insert
						? statement.one_row
						: statement.command != Command::select && statement.key_count > 0);
		if (unit.parent == 0)
			REQUIRE(statement.table != 0 && unit.kind != LoopKind::none);
		if (unit.bulk)
			REQUIRE(statement.named && statement.command == Command::insert && unit.repeats >= 100);
	}

	void check_units()
	{
		detector_->each_unit([this](const Unit &unit) {
			check(unit);
			REQUIRE(unit.repeats <= calls_in_chain_[unit.fingerprint - 1]);
		});
		detector_->loops().each_running([this](const Loop &loop) {
			const Unit *const unit = detector_->unit_at(loop);
			REQUIRE(unit != nullptr && unit->fingerprint == loop.fingerprint);
			REQUIRE(loop.found_at == 2 * detector_->limits_.threshold && loop.calls >= loop.found_at);
		});
		detector_->fan_out().each_child([this](const Child &child) { check(child); });
	}

	void check(const Child &child)
	{
		REQUIRE(child.linked > 0 && child.linked <= child.calls);
		REQUIRE(child.calls <= calls_in_chain_[child.fingerprint - 1]);
		if (!child.found || !detector_->fan_out().has_parent(child))
			return;
		const ChildKey &key = child.keys[child.key];
		const Bond &bond = key.bonds[child.parent];
		REQUIRE(bond.linked > 0 && bond.tied != 0 && key.different >= 2);
		REQUIRE(child.key < of(child.fingerprint).key_count);
	}

	const std::uint8_t *next_;
	const std::uint8_t *end_;
	Statement statements_[statement_count];
	std::unique_ptr<Detector> detector_ = std::make_unique<Detector>();
	std::uint64_t calls_in_chain_[statement_count] = {};
	unsigned returned_ = 0;
	unsigned findings_ = 0;
};

} // namespace rule
