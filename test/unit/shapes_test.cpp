// sources:

#include "check.hpp"

#include <cstdint>
#include <memory>

#include "repetition/shapes.hpp"

namespace {

using namespace remedy::repetition;

// Fingerprints of one set of the table.
std::uint64_t
in_set(unsigned number)
{
	return 5 + std::uint64_t{number} * 48;
}

constexpr unsigned ways = 4;

void
hold(Shape &shape, unsigned times)
{
	for (unsigned i = 0; i < times; ++i)
		shape.held();
}

// How many suspicions it takes to arm the shape again; 0 if a thousand are not enough.
unsigned
suspicions_to_arm(Shape &shape)
{
	for (unsigned i = 1; i <= 1000; ++i)
		if (shape.suspect())
			return i;
	return 0;
}

} // namespace

TEST(an_added_shape_is_found)
{
	const auto table = std::make_unique<ShapeTable>();
	CHECK(table->find(42) == nullptr);
	Shape &shape = table->add(42);
	CHECK(shape.fingerprint == 42 && !shape.described && shape.key_count == 0);
	CHECK(table->find(42) == &shape);
	CHECK(table->find(43) == nullptr);
}

TEST(a_set_holds_four_shapes)
{
	const auto table = std::make_unique<ShapeTable>();
	for (unsigned i = 0; i < ways; ++i)
		table->add(in_set(i));
	for (unsigned i = 0; i < ways; ++i)
		CHECK(table->find(in_set(i)) != nullptr);
}

TEST(the_shape_that_ran_longest_ago_gives_way)
{
	for (unsigned idle = 0; idle < ways; ++idle)
	{
		const auto table = std::make_unique<ShapeTable>();
		for (unsigned i = 0; i < ways; ++i)
			table->add(in_set(i));
		for (unsigned i = 0; i < ways; ++i)
			if (i != idle)
				table->find(in_set(i));
		table->add(in_set(ways));
		for (unsigned i = 0; i <= ways; ++i)
			CHECK((table->find(in_set(i)) != nullptr) == (i != idle));
	}
}

TEST(a_new_shape_knows_nothing_of_the_one_it_replaced)
{
	const auto table = std::make_unique<ShapeTable>();
	for (unsigned i = 0; i < ways; ++i)
	{
		Shape &shape = table->add(in_set(i));
		shape.described = shape.barren = shape.disarmed = shape.never_repeated = true;
		shape.key_count = 3;
		shape.calls = 9;
	}
	const Shape &shape = table->add(in_set(ways));
	CHECK(shape.fingerprint == in_set(ways));
	CHECK(!shape.described && !shape.barren && !shape.disarmed && !shape.never_repeated);
	CHECK(shape.key_count == 0 && shape.calls == 0);
}

TEST(a_busy_set_leaves_the_others_alone)
{
	const auto table = std::make_unique<ShapeTable>();
	table->add(6);
	for (unsigned i = 0; i < 1000; ++i)
		table->add(in_set(i));
	CHECK(table->find(6) != nullptr);
	CHECK(table->find(in_set(999)) != nullptr);
}

TEST(a_shape_is_disarmed_after_100_held_executions)
{
	Shape shape = {};
	hold(shape, 99);
	CHECK(!shape.disarmed);
	shape.held();
	CHECK(shape.disarmed);
}

TEST(a_child_in_between_starts_the_hundred_anew)
{
	Shape shape = {};
	hold(shape, 99);
	shape.proved();
	hold(shape, 99);
	CHECK(!shape.disarmed);
	shape.held();
	CHECK(shape.disarmed);
}

TEST(an_armed_shape_needs_no_suspicion)
{
	Shape shape = {};
	CHECK(!shape.suspect());
	hold(shape, 50);
	CHECK(!shape.suspect());
	CHECK(!shape.disarmed && shape.held_in_vain == 50);
}

TEST(it_is_armed_by_one_suspicion_then_by_two_then_by_four)
{
	Shape shape = {};
	for (unsigned needed = 1; needed <= 256; needed *= 2)
	{
		hold(shape, 100);
		CHECK(shape.disarmed);
		CHECK(suspicions_to_arm(shape) == needed);
		CHECK(!shape.disarmed);
	}
}

TEST(an_armed_again_shape_is_held_a_hundred_times_more)
{
	Shape shape = {};
	hold(shape, 100);
	CHECK(shape.suspect());
	hold(shape, 99);
	CHECK(!shape.disarmed);
	shape.held();
	CHECK(shape.disarmed);
}

TEST(the_suspicions_needed_stop_growing)
{
	Shape shape = {};
	for (int i = 0; i < 200; ++i)
	{
		hold(shape, 100);
		CHECK(suspicions_to_arm(shape) <= 512);
		CHECK(!shape.disarmed);
	}
	hold(shape, 100);
	CHECK(suspicions_to_arm(shape) == 512);
}

TEST(a_child_makes_one_suspicion_enough_again)
{
	Shape shape = {};
	for (int i = 0; i < 3; ++i)
	{
		hold(shape, 100);
		suspicions_to_arm(shape);
	}
	shape.proved();
	hold(shape, 100);
	CHECK(suspicions_to_arm(shape) == 1);
}

// A watched stretch keeps disarmed shapes as well.
TEST(a_child_arms_a_disarmed_shape)
{
	Shape shape = {};
	hold(shape, 100);
	shape.proved();
	CHECK(!shape.disarmed);
	CHECK(!shape.suspect());
}

TEST(keys_with_constants_are_told_from_parameters)
{
	Shape shape = {};
	shape.keys[0].parameter = 1;
	shape.keys[1].parameter = 2;
	shape.key_count = 2;
	CHECK(!shape.has_constant_keys());
	shape.key_count = 3; // the third is a constant
	CHECK(shape.has_constant_keys());
	shape.keys[1].parameter = 0;
	shape.key_count = 2;
	CHECK(shape.has_constant_keys());
}
