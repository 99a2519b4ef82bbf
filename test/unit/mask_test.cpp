// sources: src/plans/mask.cpp

#include "check.hpp"

#include <string>

#include "plans/mask.hpp"

namespace {

using remedy::plans::mask_shape;
using remedy::plans::mask_values;
using remedy::plans::Strings;

std::string
masked(std::string_view text, Strings strings = Strings::standard)
{
	std::string out(text.size(), '\0');

	out.resize(mask_values(text, strings, out.data()));
	return out;
}

std::string
shape(std::string_view text)
{
	std::string out(text.size(), '\0');

	out.resize(mask_shape(text, Strings::standard, out.data()));
	return out;
}

TEST(every_value_goes)
{
	CHECK(masked("Filter: (a = 5)") == "Filter: (a = ?)");
	CHECK(masked("Filter: (a = 1.5e-10)") == "Filter: (a = ?)");
	CHECK(masked("Filter: (a = '-5'::integer)") == "Filter: (a = ?::integer)");
	CHECK(masked("Filter: (b = 'it''s ''x'''::text)") == "Filter: (b = ?::text)");
	CHECK(masked("Filter: (b = ''::text)") == "Filter: (b = ?::text)");
	CHECK(masked("Filter: (b = ANY ('{1,2}'::integer[]))") == "Filter: (b = ANY (?::integer[]))");
	CHECK(masked("Filter: (c = B'101'::\"bit\")") == "Filter: (c = ?::\"bit\")");
	CHECK(masked("Filter: (c = E'a\\'b')") == "Filter: (c = ?)");
	CHECK(masked("Filter: (b = 'größe 東京'::text) AND x") == "Filter: (b = ?::text) AND x");
	CHECK(masked("Group Key: 5") == "Group Key: ?");
	CHECK(masked("Group Key: 'a'::text") == "Group Key: ?::text");
	CHECK(masked("Sampling: system ('10'::real) REPEATABLE ('7'::double precision)") ==
		  "Sampling: system (?::real) REPEATABLE (?::double precision)");
}

TEST(everything_else_stays)
{
	for (const std::string_view text : {
			 "  Workers Planned: 2\n  ->  Parallel Seq Scan on t1 t_2",
			 "Append\n  Subplans Removed: 17",
			 "Filter: ((a = $1) AND b AND (c IS NULL) AND (d = true))",
			 "InitPlan 1 (returns $0)\n  ->  Seq Scan on \"it's 5\"",
			 "Filter: (NOT (hashed SubPlan 1))",
			 "Filter: (a > (InitPlan 1).col1)",
			 "Index Cond: (\"quoted \"\" name\" = größe)",
			 "Index Cond: (\"two\nlines\" = a)",
			 "Filter: (a ~~ b COLLATE \"C\")",
			 "CTE it\n  ->  Function Scan on generate_series g2",
			 "Filter: (a1 = t$2.b_3)",
			 "",
		 })
		CHECK(masked(text) == text);
}

TEST(a_string_in_a_condition_may_span_lines)
{
	CHECK(masked("Filter: (a = 'x\n  Filter: (b = 5)\n'::text)\n  ->  Seq Scan on t") ==
		  "Filter: (a = ?::text)\n  ->  Seq Scan on t");
	CHECK(masked("Filter: (a = 'x\\'::text)") == "Filter: (a = ?::text)");
	CHECK(masked("Filter: (a = 'x\\'y'::text)", Strings::with_backslashes) == "Filter: (a = ?::text)");
	CHECK(masked("Filter: (a = 'x\\\\'::text)", Strings::with_backslashes) == "Filter: (a = ?::text)");
}

// Names that stand unquoted in a plan's text, one or two quotes in them.
TEST(quotes_in_unquoted_names_hide_the_rest_of_their_line)
{
	CHECK(masked("CTE it's\n  ->  Seq Scan on t\n  Filter: (a = 'secret'::text)\nCTE that's\n  ->  Result") ==
		  "CTE it?\n  ->  Seq Scan on t\n  Filter: (a = ?::text)\nCTE that?\n  ->  Result");
	CHECK(masked("  CTE a('b\n  Filter: (a = 'secret')") == "  CTE a(?\n  Filter: (a = ?)");
	CHECK(masked("CTE a\"b\n  Filter: (a = 'secret')") == "CTE a?\n  Filter: (a = ?)");
	CHECK(masked("  Conflict Arbiter Indexes: it's\n  Filter: (a = 'secret')") ==
		  "  Conflict Arbiter Indexes: it?\n  Filter: (a = ?)");
	CHECK(masked("CTE it's Bob's\nFilter: (a = 'secret')") == "CTE it?s\nFilter: (a = ?)");
}

// Where an open quote cannot be explained, the rest is not shown.
TEST(a_quote_that_cannot_be_explained_hides_all_after_it)
{
	CHECK(masked("Foreign File: /it's\n  Filter: (a = 'secret')") == "Foreign File: /it?");
	CHECK(masked("Group Key: 'a\n  secret'::text") == "Group Key: ?");
	CHECK(masked("CTE two\nlines'\n  Filter: (a = 'secret')") == "CTE two\nlines?");
	CHECK(masked("Seq Scan on \"two\nlines\"\n  Filter: (a = 'secret')") == "Seq Scan on ?");
}

// However the text is cut, nothing of the value is left.
TEST(a_text_cut_anywhere_shows_nothing_of_a_value)
{
	const std::string text = "Seq Scan on t\n  Filter: ((a = 'sec''ret\nmore sec'::text) AND (b = 777))";

	for (std::size_t length = 0; length <= text.size(); ++length)
	{
		const std::string out = masked(std::string_view(text).substr(0, length));
		for (const char *part : {"sec", "ret", "more", "7"})
			CHECK(out.find(part) == std::string::npos);
	}
}

TEST(shapes_of_plans_that_differ_in_values_are_equal)
{
	const std::string plain = shape("  Filter: (a = 5)");

	CHECK(shape("  Filter: (a = '-5'::integer)") == plain);
	CHECK(shape("  Filter: (a = $1)") == plain);
	CHECK(shape("  Filter: (a = 'x y'::character varying(10))") == plain);
	CHECK(shape("  Filter: (a = '1 day'::interval day to second(3))") == "  Filter: (a = ? day to second(?))");
	CHECK(shape("  Filter: (a = '2026-01-01'::timestamp(3) without time zone)") == plain);
	CHECK(shape("  Filter: (a = '5'::\"my type\".\"x\"\"y\")") == plain);
	CHECK(shape("  Filter: (a = '{1,2}'::integer[])") == plain);
	CHECK(shape("f(1, 'x'::text, $3)") == shape("f(7)"));
	CHECK(shape("  Filter: (b = 5)") != plain);
	CHECK(shape("    Filter: (a = 5)") != plain);
	CHECK(shape("  Workers Planned: 2") == shape("  Workers Planned: 4"));
	CHECK(shape("Append\n  Subplans Removed: 3") == shape("Append\n  Subplans Removed: 14"));
	CHECK(shape("Seq Scan on t1") != shape("Seq Scan on t2"));
	CHECK(shape("Seq Scan on \"1\"") != shape("Seq Scan on \"2\""));
}

} // namespace
