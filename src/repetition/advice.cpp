#include "repetition/advice.hpp"

#include <cstdio>

namespace remedy::repetition {

namespace {

struct Keywords
{
	std::string_view client; // as in client_style(); "" for an unknown one
	const char *to_one;      // N:1, the child is one row
	const char *to_many;     // 1:N
	const char *count;
	const char *exists;
};

constexpr Keywords keywords[] = {
	{"sqlalchemy", "joinedload() or selectinload() in SQLAlchemy", "selectinload() in SQLAlchemy",
	 "func.count() with group_by() in SQLAlchemy, or a column_property()", "a selected exists() in SQLAlchemy"},
	{"django", "select_related() in Django", "prefetch_related() in Django", "annotate(Count()) in Django",
	 "annotate(Exists()) in Django"},
	{"",
	 "joinedload (SQLAlchemy), select_related (Django), includes (ActiveRecord), JOIN FETCH (Hibernate), include "
	 "(Sequelize, Prisma), relations (TypeORM), with (Drizzle), populate (MikroORM), withGraphFetched (Objection)",
	 "selectinload (SQLAlchemy), prefetch_related (Django), preload (ActiveRecord), @BatchSize (Hibernate), include "
	 "(Sequelize, Prisma), relations (TypeORM), with (Drizzle), populate (MikroORM), withGraphFetched (Objection)",
	 "annotate(Count()) (Django), counter_cache or group.count (ActiveRecord), _count (Prisma), "
	 "loadRelationCountAndMap (TypeORM), a grouped query elsewhere",
	 "annotate(Exists()) (Django), a selected EXISTS or one = ANY query elsewhere"},
};

const Keywords &
keywords_of(std::string_view client) noexcept
{
	for (const Keywords &entry : keywords)
		if (entry.client == client)
			return entry;
	return keywords[std::size(keywords) - 1];
}

bool
has(std::string_view query, std::string_view part) noexcept
{
	return query.find(part) != std::string_view::npos;
}

// SQLAlchemy ends each clause with a space and a new line.
bool
breaks_after_clauses(std::string_view query) noexcept
{
	return has(query, " \nFROM ") || has(query, "AS anon_1");
}

// "schema"."table"."column": Prisma writes so, Django never.
bool
has_name_of_three_parts(std::string_view query) noexcept
{
	constexpr std::string_view joint = "\".\"";

	for (std::size_t at = query.find(joint); at != std::string_view::npos; at = query.find(joint, at + 1))
	{
		const std::size_t end = query.find('"', at + joint.size());
		if (end == std::string_view::npos)
			return false; // the text was cut
		if (query.substr(end).starts_with(joint))
			return true;
	}
	return false;
}

// Django quotes every name and labels nothing but what it computes.  ActiveRecord
// looks the same where it asks whether a row exists, but for its label.
bool
quotes_every_name(std::string_view query) noexcept
{
	if (has(query, "AS \"__count\"") || has(query, "AS \"a\" FROM \""))
		return true;
	return has(query, " FROM \"") && has(query, "\".\"") && !has(query, "*") && !has(query, " AS \"") &&
		   !has(query, " AS one FROM ") && !has_name_of_three_parts(query);
}

} // namespace

std::string_view
client_style(std::string_view query) noexcept
{
	if (breaks_after_clauses(query))
		return "sqlalchemy";
	return quotes_every_name(query) ? "django" : "";
}

void
write_advice(const Ailment &ailment, char *buffer, std::size_t size) noexcept
{
	const Keywords &words = keywords_of(ailment.client);
	const auto width = [](std::string_view text) { return static_cast<int>(text.size()); };
	const std::string_view child = ailment.child_table;
	// What is linked by value has no table.
	const std::string_view parent = ailment.parent_table.empty() ? "the statement before" : ailment.parent_table;

	if (ailment.kind == "count")
		std::snprintf(buffer, size, "Count the rows of %.*s for all rows of %.*s in one query grouped by %.*s: %s.",
					  width(child), child.data(), width(parent), parent.data(), width(ailment.child_column),
					  ailment.child_column.data(), words.count);
	else if (ailment.kind == "exists")
		std::snprintf(buffer, size, "Ask once which rows of %.*s have a match in %.*s: %s.", width(parent),
					  parent.data(), width(child), child.data(), words.exists);
	else
		std::snprintf(buffer, size, "Load %.*s together with the rows of %.*s: %s.", width(child), child.data(),
					  width(parent), parent.data(), ailment.direction == "N:1" ? words.to_one : words.to_many);
}

} // namespace remedy::repetition
