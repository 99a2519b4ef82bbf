#include "repetition/client_style.hpp"

#include <algorithm>
#include <cstddef>

namespace remedy::repetition {

namespace {

using View = std::string_view;

constexpr std::size_t nowhere = View::npos;

bool
has(View query, View part) noexcept
{
	return query.find(part) != nowhere;
}

// What follows the first of these words, or nothing.
View
after(View query, View words) noexcept
{
	const std::size_t at = query.find(words);

	return at == nowhere ? View() : query.substr(at + words.size());
}

// The quoted name that a text begins with, without its quotes; empty if there is none.
View
quoted(View text) noexcept
{
	const std::size_t end = text.starts_with('"') ? text.find('"', 1) : nowhere;

	return end == nowhere ? View() : text.substr(1, end - 1);
}

// What follows the quoted name that a text begins with.
View
after_quoted(View text) noexcept
{
	const View name = quoted(text);

	return name.empty() ? View() : text.substr(name.size() + 2);
}

// A column that is given with its table: "books"."id".
bool
begins_with_column_of(View text, View table) noexcept
{
	return !table.empty() && quoted(text) == table && after_quoted(text).starts_with(".\"");
}

bool
writes(View query) noexcept
{
	return query.starts_with("INSERT INTO ") || query.starts_with("UPDATE ") || query.starts_with("DELETE FROM ");
}

// What an INSERT, UPDATE or DELETE names after these words.
View
target(View query) noexcept
{
	const std::size_t words = query.starts_with("UPDATE ") ? 7 : 12;

	return query.substr(std::min(words, query.size()));
}

// Ends each clause with a space and a new line; its writes quote nothing and name the
// table before the columns of WHERE and RETURNING.
bool
is_sqlalchemy(View query) noexcept
{
	if (has(query, " \nFROM ") || has(query, "AS anon_1"))
		return true;
	if (!writes(query) || target(query).starts_with('"') || (query.starts_with("UPDATE") && !has(query, "=$")))
		return false;
	const View table = target(query).substr(0, target(query).find(' '));
	const View condition = after(query, query.starts_with("INSERT") ? " RETURNING " : " WHERE ");
	return !table.empty() && condition.starts_with(table) && condition.substr(table.size()).starts_with('.');
}

// "schema"."table"."column".
bool
is_prisma(View query) noexcept
{
	constexpr View joint = "\".\"";

	for (std::size_t at = query.find(joint); at != nowhere; at = query.find(joint, at + 1))
	{
		const std::size_t end = query.find('"', at + joint.size());
		if (end == nowhere)
			return false; // the text was cut
		if (query.substr(end).starts_with(joint))
			return true;
	}
	return false;
}

// Numbers its aliases: b1_0.title since version 6, book0_.title before.
bool
is_hibernate(View query) noexcept
{
	if (!query.starts_with("select ") || has(query, "\""))
		return false;
	for (const View mark : {View("_0."), View("0_.")})
		for (std::size_t at = query.find(mark); at != nowhere; at = query.find(mark, at + 1))
			if (at > 0 && query[at - 1] != ' ' && query[at - 1] != ',')
				return true;
	return false;
}

// FROM "books" AS "Book"; its writes have no spaces.
bool
is_sequelize(View query) noexcept
{
	const View from = after_quoted(after(query, " FROM "));

	if (query.starts_with("SELECT "))
		return from.starts_with(" AS \"");
	if (query.starts_with("INSERT INTO \""))
		return has(after(query, " RETURNING \""), "\",\"");
	return query.starts_with("UPDATE \"") && has(query, " SET \"") && has(query, "\"=");
}

// FROM "books" "Book"; INSERT INTO "books"("title").
bool
is_typeorm(View query) noexcept
{
	const View from = after_quoted(after(query, " FROM "));

	if (query.starts_with("SELECT "))
		return (from.starts_with(" \"") && !has(query, " AS \"__")) || has(query, "\"row_exists\"");
	if (query.starts_with("INSERT INTO \""))
		return after_quoted(target(query)).starts_with('(');
	return query.starts_with("UPDATE \"") && has(query, "\" = ") && quoted(after(query, " WHERE ")).size() > 0 &&
		   after_quoted(after(query, " WHERE ")).starts_with(" IN (");
}

// Gives a name to something else than what it computes.
bool
labels_a_column(View query) noexcept
{
	constexpr View label = " AS \"";

	for (std::size_t at = query.find(label); at != nowhere; at = query.find(label, at + 1))
		if (at == 0 || query[at - 1] != ')')
			return true;
	return false;
}

// Names all columns with their table.
bool
is_django(View query) noexcept
{
	if (has(query, "AS \"__count\"") || has(query, "AS \"a\" FROM \""))
		return true;
	if (query.starts_with("INSERT INTO \""))
		return begins_with_column_of(after(query, " RETURNING "), quoted(target(query)));
	return query.starts_with("SELECT ") && has(query, " FROM \"") && has(query, "\".\"") && !has(query, "*") &&
		   !labels_a_column(query) && !has(query, " AS one FROM ");
}

// All columns of the table; what is computed has no label; $1 AS one, "books"."id" AS t1_r0.
bool
is_active_record(View query) noexcept
{
	if (query.starts_with("SELECT "))
	{
		const View list = query.substr(0, query.find(" FROM \""));
		return list.size() < query.size() &&
			   (list.ends_with("\".*") || list.ends_with(" AS one") || list.ends_with(')') || has(list, " AS t0_r0, "));
	}
	const View returned = after(query, " RETURNING ");
	return query.starts_with("INSERT INTO \"") && !has(query, "\",\"") &&
		   after_quoted(target(query)).starts_with(" (") && !quoted(returned).empty() && after_quoted(returned).empty();
}

// UPDATE "books" SET "title" = $1 WHERE "books"."id" = $2.
bool
is_active_record_or_django(View query) noexcept
{
	return (query.starts_with("UPDATE \"") || query.starts_with("DELETE FROM \"")) &&
		   begins_with_column_of(after(query, " WHERE "), quoted(target(query)));
}

// from "books" as "b0".
bool
is_mikro_orm(View query) noexcept
{
	const View from = after_quoted(after(query, " from "));
	const View alias = from.starts_with(" as ") ? quoted(from.substr(4)) : View();

	return query.starts_with("select ") && alias.size() >= 2 && alias[0] >= 'a' && alias[0] <= 'z' &&
		   alias.find_first_not_of("0123456789", 1) == nowhere;
}

// All columns of the table; counts of a subquery called temp.
bool
is_objection(View query) noexcept
{
	return query.starts_with("select \"") ? after_quoted(query.substr(7)).starts_with(".* from \"")
										  : query.starts_with("select count(*)") && query.ends_with(" as \"temp\"");
}

// Columns without their table in the list, with it in the condition; numbers keys by default.
bool
is_drizzle(View query) noexcept
{
	const View from = after(query, " from ");

	if (query.starts_with("select count(*) as count from \"") || has(query, "\") values (default, "))
		return true;
	if (!query.starts_with("select \"") || quoted(from).empty())
		return false;
	const View rest = after_quoted(from);
	if (rest.starts_with(" \"") && quoted(rest.substr(1)) == quoted(from))
		return true; // a relational query
	return !after_quoted(query.substr(7)).starts_with('.') && has(after(rest, " where "), "\".\"");
}

bool
is_lower_case_and_quoted(View query) noexcept
{
	return (query.starts_with("select ") && !query.starts_with("select * ") && has(query, " from \"")) ||
		   query.starts_with("insert into \"") || query.starts_with("update \"") || query.starts_with("delete from \"");
}

struct Style
{
	View name;
	bool (*fits)(View query) noexcept;
};

// The first that fits.
constexpr Style styles[] = {
	{"sqlalchemy", is_sqlalchemy}, {"prisma", is_prisma},
	{"hibernate", is_hibernate},   {"sequelize", is_sequelize},
	{"typeorm", is_typeorm},       {"activerecord", is_active_record},
	{"django", is_django},         {"activerecord/django", is_active_record_or_django},
	{"mikroorm", is_mikro_orm},    {"objection", is_objection},
	{"drizzle", is_drizzle},       {"drizzle/mikroorm/objection", is_lower_case_and_quoted},
};

} // namespace

std::string_view
client_style(View query) noexcept
{
	while (query.starts_with("/*")) // tags
	{
		const std::size_t end = query.find("*/");
		query = end == nowhere ? View() : query.substr(end + 2);
		query.remove_prefix(std::min(query.find_first_not_of(' '), query.size()));
	}
	for (const Style &style : styles)
		if (style.fits(query))
			return style.name;
	return "";
}

} // namespace remedy::repetition
