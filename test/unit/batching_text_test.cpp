// sources:
#include "check.hpp"

#include <string>

#include "repetition/batching_text.hpp"

using namespace remedy::repetition;

namespace {

std::string
in_one_line(const char *text)
{
	std::string line;
	write_in_one_line(text, [&](char c) { line += c; });
	return line;
}

std::string
with_parameters(const char *text)
{
	std::string result;
	replace_parameters(
		text, [&](const char *start, int length) { result.append(start, length); },
		[&](int number) { result += "<" + std::to_string(number) + ">"; });
	return result;
}

} // namespace

TEST(gaps_become_one_space_but_in_quotes)
{
	CHECK(in_one_line(" SELECT id,\n    \"a\n b\"\n   FROM t\n") == "SELECT id, \"a\n b\" FROM t");
	CHECK(in_one_line("(\n SELECT 'x  y'\n) AS \"q\"\"  r\"") == "(SELECT 'x  y') AS \"q\"\"  r\"");
	CHECK(in_one_line("").empty());
	CHECK(in_one_line(" \n").empty());
}

TEST(parameters_are_found_outside_of_quotes)
{
	CHECK(with_parameters("a = $1::int AND b = ANY ($23)") == "a = <1>::int AND b = ANY (<23>)");
	CHECK(with_parameters("\"$1\" = $2 AND \"a\"\"$3\" = '$4'") == "\"$1\" = <2> AND \"a\"\"$3\" = '$4'");
	CHECK(with_parameters("$7") == "<7>");
	CHECK(with_parameters("none") == "none");
}

TEST(words_are_whole)
{
	CHECK(count_words("u.key, u_1.key, \"u\", xu, u", "u") == 3);
	CHECK(count_words("us u$ ü", "u") == 0);
	CHECK(count_words("key = u.key", "key") == 2);
}

TEST(clauses_are_those_of_the_outermost_query)
{
	const char *const text = "UPDATE \" WHERE \" SET a = (SELECT b FROM c WHERE d) WHERE e RETURNING f";
	const char *const where = find_clause(text, "WHERE");
	CHECK(where != nullptr && std::string(where) == "WHERE e RETURNING f");
	CHECK(find_clause("DELETE FROM \"WHERE\"", "WHERE") == nullptr);
	CHECK(find_clause("SET NOWHERE = 1", "WHERE") == nullptr);
}

TEST(parentheses_are_matched_outside_of_quotes)
{
	const char *const text = "VALUES (lower($1), \")\", ')') RETURNING (x)";
	const char *const closing = find_closing(text);
	CHECK(closing != nullptr && std::string(closing) == ") RETURNING (x)");
	CHECK(find_closing("none") == nullptr);
}

TEST(strings_are_told_from_names)
{
	CHECK(has_string("SELECT 'x'"));
	CHECK(!has_string("SELECT \"it's\", \"a\"\"'b\""));
	CHECK(has_string("SELECT \"a\", 'b'"));
}
