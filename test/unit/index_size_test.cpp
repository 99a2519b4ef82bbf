// sources: src/what_if/index_size.cpp

#include "check.hpp"

#include <cmath>
#include <vector>

#include "what_if/index_size.hpp"

namespace {

using namespace remedy::what_if;

constexpr Value four_bytes = {4, 4, 0};
constexpr Value eight_bytes = {8, 8, 0};

bool
is_near(double value, double wanted, double within)
{
	return std::fabs(value - wanted) <= within * wanted;
}

Tree
tree_of(const Value *values, int count, double tuples, double distinct)
{
	Tree tree = {};

	tree.tuples = tuples;
	tree.values = values;
	tree.value_count = tree.key_count = count;
	tree.fill_factor = 90;
	tree.deduplicates = true;
	tree.distinct = distinct;
	return tree;
}

TEST(a_tuple_is_header_values_and_padding)
{
	const Value both[] = {four_bytes, eight_bytes};
	const Value packed[] = {four_bytes, four_bytes};
	const Value some_null = {4, 4, 0.5};
	const Value all_null = {4, 4, 1};
	const Value text = {21, 0, 0};

	CHECK(tuple_bytes(&four_bytes, 1) == 16);
	CHECK(tuple_bytes(both, 2) == 24);
	CHECK(tuple_bytes(packed, 2) == 16);
	CHECK(tuple_bytes(&some_null, 1) == 16);
	CHECK(tuple_bytes(&all_null, 1) == 16);
	CHECK(tuple_bytes(&text, 1) > 29 && tuple_bytes(&text, 1) < 37);
}

// Pages of indexes that a server built.
TEST(trees_are_as_large_as_those_that_a_server_built)
{
	const Value both[] = {four_bytes, eight_bytes};

	CHECK(is_near(btree_size(tree_of(&eight_bytes, 1, 300000, 300000)).pages, 825, 0.02));
	CHECK(is_near(btree_size(tree_of(both, 2, 300000, 300000)).pages, 1158, 0.02));
	CHECK(is_near(btree_size(tree_of(&four_bytes, 1, 300000, 10000)).pages, 277, 0.04));
	CHECK(is_near(btree_size(tree_of(&four_bytes, 1, 300000, 51)).pages, 260, 0.04));
	CHECK(btree_size(tree_of(&four_bytes, 1, 300000, 51)).height == 1);
	CHECK(btree_size(tree_of(&four_bytes, 1, 0, 0)).pages == 2);
	CHECK(btree_size(tree_of(&four_bytes, 1, 0, 0)).height == 0);
	CHECK(btree_size(tree_of(&eight_bytes, 1, 1e8, 1e8)).height == 3);
}

TEST(common_values_share_lists_of_rows)
{
	Tree tree = tree_of(&four_bytes, 1, 300000, 150000);
	const float half = 0.5;
	const double even = btree_size(tree).pages;

	tree.common = &half;
	tree.common_count = 1;
	CHECK(btree_size(tree).pages < even);
	tree.deduplicates = false;
	CHECK(is_near(btree_size(tree).pages, 825, 0.02));
	tree.fill_factor = 50;
	CHECK(is_near(btree_size(tree).pages, 1494, 0.02));
}

TEST(other_methods)
{
	CHECK(is_near(hash_size(300000, 300000, 75).pages, 1026, 0.001));
	CHECK(is_near(hash_size(300000, 10000, 75).pages, 1155, 0.05));
	CHECK(brin_size({9677, 128, 24}).pages == 3);
	CHECK(brin_size({9677, 4, 40}).pages > brin_size({9677, 4, 24}).pages);
	CHECK(gist_size(300000, &eight_bytes, 1).pages > btree_size(tree_of(&eight_bytes, 1, 300000, 300000)).pages);
}

TEST(an_inverted_index_holds_each_key_once)
{
	const std::vector<std::uint32_t> frequent(200, 30); // in each 100th row
	const std::vector<std::uint32_t> single(3000, 1);
	const Inverted tags = {300000, 30, 3000, frequent.data(), 200, 6000, 4};
	const Inverted words = {300000, 30, 3000, single.data(), 3000, 3000, 33};

	CHECK(gin_size(tags).keys == 200);
	CHECK(gin_size(tags).data_pages >= 200);
	CHECK(gin_size(words).keys == 300000);
	CHECK(gin_size(words).data_pages == 0);
	CHECK(gin_size(words).entry_pages > 2000);
	CHECK(gin_size({0, 0, 0, nullptr, 0, 0, 0}).entry_pages <= 3);
}

TEST(numbers_of_keys)
{
	CHECK(is_near(expected_distinct(1000, 1e6), 1000, 0.001));
	CHECK(is_near(expected_distinct(1e9, 1000), 1000, 0.001));
	CHECK(is_near(expected_distinct(1000, 1000), 632, 0.01));
	CHECK(expected_distinct(0, 5) == 0);
	CHECK(distinct_in_all(3000, 3000, 3000, 1e6) == 1e6);
	CHECK(distinct_in_all(3000, 10, 0, 1e6) == 10);
	CHECK(is_near(distinct_in_all(3000, 2955, 2911, 1e6), 90700, 0.01));
	CHECK(distinct_in_all(0, 0, 0, 5) == 0);
}

} // namespace
