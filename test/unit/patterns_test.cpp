// sources:
#include "check.hpp"
#include "index_advice/patterns.hpp"

using namespace remedy::index_advice;

TEST(like_begins_with_what_is_no_wildcard)
{
	CHECK(has_fixed_beginning(Pattern::like, "abc%"));
	CHECK(has_fixed_beginning(Pattern::like, "abc"));
	CHECK(has_fixed_beginning(Pattern::like, "\\%abc"));
	CHECK(!has_fixed_beginning(Pattern::like, "%abc"));
	CHECK(!has_fixed_beginning(Pattern::like, "_bc"));
	CHECK(!has_fixed_beginning(Pattern::like, ""));
}

TEST(letters_in_either_case_are_no_beginning)
{
	CHECK(has_fixed_beginning(Pattern::ilike, "1abc%"));
	CHECK(!has_fixed_beginning(Pattern::ilike, "abc%"));
	CHECK(has_fixed_beginning(Pattern::iregex, "^1abc"));
	CHECK(!has_fixed_beginning(Pattern::iregex, "^abc"));
}

TEST(a_regular_expression_begins_where_it_says)
{
	CHECK(has_fixed_beginning(Pattern::regex, "^abc"));
	CHECK(has_fixed_beginning(Pattern::regex, "^a"));
	CHECK(has_fixed_beginning(Pattern::regex, "^\xc3\xa4"));
	CHECK(!has_fixed_beginning(Pattern::regex, "abc"));
	CHECK(!has_fixed_beginning(Pattern::regex, "^"));
	CHECK(!has_fixed_beginning(Pattern::regex, "^.abc"));
	CHECK(!has_fixed_beginning(Pattern::regex, "^a*"));
	CHECK(!has_fixed_beginning(Pattern::regex, "^a?b"));
	CHECK(!has_fixed_beginning(Pattern::regex, "^abc|d"));
}

TEST(trigrams_need_three_characters_in_a_row)
{
	CHECK(has_trigram(Pattern::like, "%abc%"));
	CHECK(!has_trigram(Pattern::like, "%ab%c%"));
	CHECK(!has_trigram(Pattern::ilike, "_ab_"));
	CHECK(has_trigram(Pattern::regex, "a.c"));
}
