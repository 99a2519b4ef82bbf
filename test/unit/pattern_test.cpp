// sources:

#include "check.hpp"

#include <string>

#include "index_advice/pattern.hpp"

namespace {

using remedy::index_advice::piece_for_search;
using remedy::index_advice::piece_of;
using remedy::index_advice::wildcards_of;

TEST(a_piece_has_so_many_characters)
{
	CHECK(piece_of("customer 17", 0, 3) == "cus");
	CHECK(piece_of("customer 17", 4, 3) == "ome");
	CHECK(piece_of("customer 17", 9, 30) == "17");
	CHECK(piece_of("customer 17", 40, 3).empty());
	CHECK(piece_of("", 0, 3).empty());
}

TEST(characters_are_not_cut)
{
	CHECK(piece_of("Zürich", 0, 2) == "Zü");
	CHECK(piece_of("Zürich", 2, 2) == "ri");
	CHECK(piece_of("日本語", 1, 1) == "本");
	CHECK(piece_of("日本語", 1, 9) == "本語");
}

TEST(a_piece_ends_before_what_patterns_take_for_something_else)
{
	CHECK(piece_of("50% off", 0, 5) == "50");
	CHECK(piece_of("%_\\.*x.y", 0, 5) == "x");
	CHECK(piece_of("%_\\.*", 0, 5).empty());
}

TEST(the_more_is_typed_the_longer_the_piece)
{
	CHECK(piece_for_search("customer 1234", false, 0) == "cu");
	CHECK(piece_for_search("customer 1234", false, 1) == "custom");
	CHECK(piece_for_search("customer 1234", false, 2) == "customer 1");
	CHECK(piece_for_search("ab", false, 2) == "ab");
	CHECK(piece_for_search(std::string(500, 'x'), false, 2).size() == 16);
}

TEST(a_search_inside_begins_inside)
{
	CHECK(piece_for_search("customer 1234", true, 1) == "tomer ");
	CHECK(piece_for_search("ab%%%%%%", true, 1) == "ab"); // where nothing is found it begins at the start
}

TEST(wildcards_are_where_the_pattern_has_them)
{
	CHECK(wildcards_of("%x%").before && wildcards_of("%x%").after);
	CHECK(!wildcards_of("x%").before && wildcards_of("x%").after);
	CHECK(wildcards_of("%x").before && !wildcards_of("%x").after);
	CHECK(!wildcards_of("x").before && !wildcards_of("").after);
}

} // namespace
