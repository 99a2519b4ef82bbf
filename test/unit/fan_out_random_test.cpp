// sources: src/repetition/fan_out.cpp

#include "check.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <type_traits>

#include "repetition/fan_out.hpp"

// A million random statements: whatever comes, what must always hold does.

using namespace remedy::repetition;
using remedy::Nanoseconds;

namespace {

std::size_t allocations = 0;

} // namespace

void *
operator new(std::size_t size)
{
	++allocations;
	if (void *const memory = std::malloc(size))
		return memory;
	throw std::bad_alloc();
}

void
operator delete(void *memory) noexcept
{
	std::free(memory);
}

void
operator delete(void *memory, std::size_t) noexcept
{
	std::free(memory);
}

namespace {

constexpr Nanoseconds millisecond = 1'000'000;
constexpr unsigned shape_count = 60;
constexpr unsigned column_count = 24;

// Columns whose numbers are equal modulo 8 are tied in one way or another.
Tie
tie_of_numbers(Column key, Column output)
{
	if (key == output)
		return Tie::same_column;
	if (key.number % 8 != output.number % 8)
		return Tie::none;
	return key.number < 8 ? Tie::foreign_key : Tie::sibling;
}

Column
column(unsigned number)
{
	return {1, static_cast<std::int16_t>(number)};
}

// What lies around the memory must stay as it was.
struct Guarded
{
	static constexpr std::uint64_t guard = 0x5ca1ab1e5ca1ab1e;
	std::uint64_t before[64];
	FanOut fan_out = {};
	std::uint64_t after[64];

	Guarded()
	{
		std::fill(std::begin(before), std::end(before), guard);
		std::fill(std::begin(after), std::end(after), guard);
	}

	bool intact() const
	{
		const auto kept = [](std::uint64_t word) { return word == guard; };
		return std::all_of(std::begin(before), std::end(before), kept) &&
			   std::all_of(std::begin(after), std::end(after), kept);
	}
};

// What the statement before has returned: its place as a parent and its last row.
struct Returned
{
	std::uint32_t unit; // 0: nothing
	std::uint64_t fingerprint;
	unsigned place;
	ValueHash values[columns_per_parent];
};

class Stream
{
public:
	Stream(unsigned seed, unsigned threshold) : random_(seed), limits_{threshold, 50 * millisecond, 1000 * millisecond}
	{
		for (unsigned i = 0; i < shape_count; ++i)
		{
			Shape &shape = shapes_[i];
			shape.fingerprint = i + 1;
			shape.key_count = static_cast<std::uint8_t>(draw(keys_per_shape + 1));
			shape.unique_keys = static_cast<std::uint8_t>(draw(4) == 0 ? draw(8) : 0);
			for (unsigned key = 0; key < shape.key_count; ++key)
				shape.keys[key].column = column(draw(column_count));
			outputs_[i] = draw(4) == 0 ? 0 : draw(columns_per_parent + 1);
			first_output_[i] = draw(column_count);
		}
	}

	void step()
	{
		go_on();
		const Moment moment = {clock_, waiting_, in_block_, transaction_, watch_};
		enter(moment);
		// Loops: the same statement again and again, or something else.
		if (draw(4) == 0)
			current_ = draw(draw(10) == 0 ? shape_count : 12);
		if (draw(500) == 0)
			forget(draw(shape_count));
		run(shapes_[current_], moment);
	}

	void check_at_end() const
	{
		CHECK(memory_->intact());
		CHECK(findings_ > 100);
		CHECK(failed_statements_ > 100);
	}

	std::uint64_t digest() const { return digest_ ^ findings_; }

private:
	unsigned draw(unsigned below) { return static_cast<unsigned>(random_() % below); }

	void go_on()
	{
		waiting_ = draw(200) == 0 ? draw(2000) * millisecond : draw(3) * millisecond;
		clock_ += waiting_;
		if (draw(300) == 0)
			in_block_ = !in_block_;
		transaction_ += draw(in_block_ ? 500 : 2) == 0;
		if (draw(1000) == 0)
			watch_ = draw(2) == 0 ? 0 : watch_ + 1;
	}

	void enter(const Moment &moment)
	{
		const std::uint32_t before = fan_out().unit();
		const bool fresh = fan_out().enter(moment, limits_);
		CHECK(fan_out().unit() == before + fresh);
		if (fresh)
			std::fill(std::begin(calls_in_unit_), std::end(calls_in_unit_), 0);
	}

	void forget(unsigned number)
	{
		fan_out().forget(shapes_[number].fingerprint);
		CHECK(!fan_out().holds(shapes_[number].fingerprint));
		if (returned_.fingerprint == shapes_[number].fingerprint)
			returned_ = {};
	}

	void run(const Shape &shape, const Moment &moment)
	{
		const unsigned number = static_cast<unsigned>(shape.fingerprint - 1);
		ValueHash values[keys_per_shape];
		for (ValueHash &value : values)
			value = draw(20) == 0 ? 0 : hash(draw(300));
		const int key = ask_for_what_was_returned(shape, values);
		Execution execution = {};
		++calls_in_unit_[number];
		if (shape.key_count > 0 && fan_out().any_parent(moment, limits_))
			execution = fan_out().look_up(shape, values, moment, limits_, tie_of_numbers);
		if (key >= 0 && execution.fingerprint != 0)
			CHECK((execution.parents[key] >> returned_.place & 1) != 0);
		returned_ = {};
		Parent *const held = outputs_[number] == 0 || draw(10) == 0 ? nullptr : hold(number, moment);
		clock_ += draw(4) * millisecond / 4;
		if (draw(50) == 0)
		{
			++failed_statements_; // its parent is not released, and it is not noted
			return;
		}
		const Child *const child = execution.fingerprint == 0 ? nullptr : note(execution);
		if (held != nullptr)
		{
			fan_out().release(*held, clock_, draw(20), draw(20) != 0);
			returned_.unit = fan_out().unit();
			returned_.fingerprint = shape.fingerprint;
			returned_.place = fan_out().place_of(*held);
		}
		if (child != nullptr)
			decide();
	}

	Parent *hold(unsigned number, const Moment &moment)
	{
		Parent &parent = fan_out().hold(shapes_[number].fingerprint, moment, limits_);
		CHECK(fan_out().place_of(parent) < parent_limit);
		CHECK(fan_out().holds(shapes_[number].fingerprint));
		if (parent.column_count == 0)
			for (unsigned i = 0; i < outputs_[number]; ++i)
				parent.columns[parent.column_count++] = output(number, i);
		for (unsigned row = draw(20) + 1; row > 0; --row)
			for (unsigned i = 0; i < parent.column_count; ++i)
			{
				returned_.values[i] = hash(draw(300));
				parent.values.insert(in_column(returned_.values[i], i));
			}
		return &parent;
	}

	// Often asks for a value of the statement before, if a key is tied to one of its columns; gives that key.
	int ask_for_what_was_returned(const Shape &shape, ValueHash *values)
	{
		if (returned_.unit != fan_out().unit() || returned_.fingerprint == shape.fingerprint || draw(2) == 0)
			return -1;
		const unsigned parent = static_cast<unsigned>(returned_.fingerprint - 1);
		for (unsigned key = 0; key < shape.key_count; ++key)
			for (unsigned i = 0; i < outputs_[parent]; ++i)
				if (tie_of_numbers(shape.keys[key].column, output(parent, i)) != Tie::none)
				{
					values[key] = returned_.values[i];
					return static_cast<int>(key);
				}
		return -1;
	}

	const Child *note(const Execution &execution)
	{
		const Child *const child = fan_out().note(execution, clock_, 1, waiting_);
		CHECK(child != nullptr || !execution.linked());
		if (child != nullptr)
		{
			CHECK(child->fingerprint == execution.fingerprint && child->unit == fan_out().unit());
			CHECK(fan_out().place_of(*child) < child_limit);
		}
		return child;
	}

	void decide()
	{
		std::uint64_t seen = 0; // shapes, as bits
		fan_out().each_child([&](Child &child) {
			const std::uint64_t bit = std::uint64_t{1} << child.fingerprint;
			CHECK((seen & bit) == 0);
			seen |= bit;
			CHECK(child.unit == fan_out().unit());
			check_counts(child);
			if (!child.found && fan_out().decide(child, limits_.threshold))
				check_found(child);
		});
	}

	void check_counts(const Child &child) const
	{
		CHECK(child.linked > 0 && child.linked <= child.calls);
		CHECK(child.repeats() >= child.linked && child.repeats() <= child.calls);
		CHECK(child.calls <= calls_in_unit_[child.fingerprint - 1]);
		CHECK(child.server == child.calls);
		for (const ChildKey &key : child.keys)
		{
			CHECK(key.different <= ChildKey::remembered);
			for (const Bond &bond : key.bonds)
				CHECK(bond.linked_to_last <= bond.linked && bond.linked <= child.linked);
		}
	}

	void check_found(const Child &child)
	{
		const Parent &parent = fan_out().parent_of(child);
		const ChildKey &key = child.keys[child.key];
		const Bond &bond = key.bonds[child.parent];
		++findings_;
		digest_ = digest_ * 31 + child.fingerprint * 7 + child.key + child.parent + child.repeats();
		CHECK(child.found);
		CHECK(child.key < shapes_[child.fingerprint - 1].key_count);
		CHECK(bond.stamp == parent.stamp && bond.tied != 0 && parent.fingerprint != 0);
		CHECK(bond.linked >= limits_.threshold && child.repeats() >= limits_.threshold);
		CHECK(key.different >= 2);
		if (parent.fingerprint == child.fingerprint)
			CHECK((shapes_[child.fingerprint - 1].unique_keys >> child.key & 1) == 0);
	}

	Column output(unsigned shape, unsigned i) const { return column((first_output_[shape] + i) % column_count); }

	FanOut &fan_out() { return memory_->fan_out; }

	static ValueHash hash(unsigned value) { return in_column(value, 77); }

	std::mt19937_64 random_;
	Limits limits_;
	std::unique_ptr<Guarded> memory_{new Guarded{}};
	Shape shapes_[shape_count] = {};
	unsigned outputs_[shape_count] = {};
	unsigned first_output_[shape_count] = {};
	unsigned calls_in_unit_[shape_count] = {};
	Returned returned_ = {};
	unsigned current_ = 0;
	unsigned findings_ = 0;
	unsigned failed_statements_ = 0;
	std::uint64_t digest_ = 0;
	Nanoseconds clock_ = millisecond;
	Nanoseconds waiting_ = 0;
	bool in_block_ = false;
	std::uint32_t transaction_ = 0;
	std::uint32_t watch_ = 0;
};

std::uint64_t
run_stream(unsigned seed, unsigned threshold, unsigned statements)
{
	Stream stream(seed, threshold);
	const std::size_t before = allocations;
	const int failed = check::failed_checks;
	for (unsigned i = 0; i < statements && check::failed_checks == failed; ++i)
		stream.step();
	CHECK(allocations == before);
	stream.check_at_end();
	return stream.digest();
}

} // namespace

TEST(the_memory_is_plain_and_small)
{
	CHECK(std::is_trivially_copyable_v<FanOut>);
	CHECK(sizeof(FanOut) <= 48 * 1024);
}

TEST(random_statements_with_the_usual_threshold)
{
	run_stream(1, 5, 600'000);
}

TEST(random_statements_with_the_lowest_threshold)
{
	run_stream(2, 2, 200'000);
}

TEST(random_statements_with_a_high_threshold)
{
	run_stream(3, 30, 200'000);
}

TEST(the_same_statements_give_the_same_findings)
{
	CHECK(run_stream(4, 5, 50'000) == run_stream(4, 5, 50'000));
	CHECK(run_stream(4, 5, 50'000) != run_stream(5, 5, 50'000));
}
