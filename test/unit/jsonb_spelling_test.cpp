// sources:

#include <initializer_list>

#include "check.hpp"
#include "json_columns/jsonb_spelling.hpp"

using namespace remedy::json_columns;

TEST(one_space_after_commas_and_colons)
{
	for (const char *text : {"1", "{}", "[]", "\"a , b:c\"", R"({"a": [1, 2, {}], "b": " :,\" ,"})", R"(["\\", 1])"})
		CHECK(is_spaced_like_jsonb(text));
	for (const char *text : {" 1", "1 ", "1\n", "{ }", "[1,2]", "[1,  2]", "[1,\t2]", "[1 , 2]", "[1, 2 ]", "{\"a\":1}",
							 "{\"a\" : 1}", R"(["\\",1])", R"(["\"", 1,2])", "[1, \n2]"})
		CHECK(!is_spaced_like_jsonb(text));
}

TEST(only_needed_escapes)
{
	for (const char *text : {"\"\"", R"("\"\\\b\f\n\r\t")", R"("\u0001\u000b\u001f\u000e")", R"("\\u0041 \\/")"})
		CHECK(is_escaped_like_jsonb(text));
	for (const char *text : {R"("\/")", R"("\u0041")", R"("\u001F")", R"("\u000B")", R"("\u000a")", R"("\u0008")",
							 R"("\u000c")", R"("\u000d")", R"("\u0009")", R"("\u00e9")", R"("\\\/")", R"("\u0020")"})
		CHECK(!is_escaped_like_jsonb(text));
}

TEST(numbers)
{
	for (const char *number : {"-0", "-0.0", "-0.000", "-0e5", "-0.0E-3"})
		CHECK(is_negative_zero(number));
	for (const char *number : {"0", "0.0", "0e5", "-1", "-0.1", "-1e0", "-10"})
		CHECK(!is_negative_zero(number));
	CHECK(has_exponent("1e2") && has_exponent("1.5E-7") && !has_exponent("12.50"));
}

TEST(keys_by_length_then_bytes)
{
	CHECK(precedes_in_jsonb("b", "aa") && precedes_in_jsonb("", "a") && precedes_in_jsonb("a", "b"));
	CHECK(precedes_in_jsonb("zz", "\xc3\xa9") && !precedes_in_jsonb("a", "a") && !precedes_in_jsonb("aa", "b"));
}
