#include "repetition/advice.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace remedy::repetition {

namespace {

using View = std::string_view;

// The remedies, each in the words of a client.
enum Remedy
{
	to_one,  // the rows of a unique key, together with what refers to them
	to_many, // the rows that refer to others, together with them
	count,
	exists,
	list,  // rows by a list of their keys
	cache, // ask once
	write, // many rows at once
	remedies,
};

struct Client
{
	View style; // its name in client_style()
	View name;
	View words[remedies];
};

constexpr Client clients[] = {
	{"sqlalchemy",
	 "SQLAlchemy",
	 {"joinedload() or selectinload()", "selectinload()", "func.count() with group_by(), or a column_property()",
	  "a selected exists()", "where(key.in_(keys))", "Session.get()",
	  "session.execute(insert(Model), rows) or a bulk update()"}},
	{"django",
	 "Django",
	 {"select_related()", "prefetch_related()", "annotate(Count())", "annotate(Exists())", "in_bulk()",
	  "functools.cache or the cache framework", "bulk_create() or bulk_update()"}},
	{"activerecord",
	 "ActiveRecord",
	 {"includes", "preload", "group.count or counter_cache", "where.associated, or one query of ids",
	  "where(key: keys)", "Rails.cache or the query cache", "insert_all, upsert_all or update_all"}},
	{"hibernate",
	 "Hibernate",
	 {"JOIN FETCH or @EntityGraph", "JOIN FETCH or @BatchSize", "a grouped query or @Formula", "a grouped query",
	  "byMultipleIds() or findAllById()", "the second-level cache", "hibernate.jdbc.batch_size"}},
	{"sequelize",
	 "Sequelize",
	 {"include", "include", "findAll with fn('COUNT') and group", "include with required",
	  "findAll with a list of keys", "a memoised call", "bulkCreate"}},
	{"typeorm",
	 "TypeORM",
	 {"relations", "relations", "loadRelationCountAndMap()", "one find with In()", "find with In()", "cache: true",
	  "insert() of an array"}},
	{"prisma",
	 "Prisma",
	 {"include", "include", "_count", "a some filter", "findMany with in", "a memoised call",
	  "createMany or updateMany"}},
	{"drizzle",
	 "Drizzle",
	 {"with", "with", "count() with groupBy()", "exists()", "inArray()", "a memoised call", "values() of an array"}},
	{"mikroorm",
	 "MikroORM",
	 {"populate", "populate", "a grouped query or @Formula", "one find with $in", "find with $in", "resultCache",
	  "insertMany() or one flush()"}},
	{"objection",
	 "Objection",
	 {"withGraphFetched()", "withGraphFetched()", "a relatedQuery() of count()", "whereExists()", "findByIds()",
	  "a memoised call", "insert() of an array"}},
};

bool
names(View styles, View style) noexcept
{
	while (!styles.empty())
	{
		const std::size_t slash = styles.find('/');
		if (styles.substr(0, slash) == style)
			return true;
		styles.remove_prefix(slash == View::npos ? styles.size() : slash + 1);
	}
	return false;
}

// Text in a buffer; what does not fit is cut, and a NUL is always at the end.
class Text
{
public:
	Text(char *buffer, std::size_t size) noexcept : at_(buffer), room_(size - 1) { *at_ = '\0'; }

	Text &operator<<(View part) noexcept
	{
		const std::size_t length = std::min(part.size(), room_);
		std::memcpy(at_, part.data(), length);
		at_ += length;
		room_ -= length;
		*at_ = '\0';
		return *this;
	}

private:
	char *at_;
	std::size_t room_;
};

// The clients that a style stands for; all for a style nobody has.
class Chosen
{
public:
	explicit Chosen(View styles) noexcept : styles_(styles)
	{
		for (const Client &client : clients)
			known_ += names(styles, client.style);
	}

	bool include(const Client &client) const noexcept { return known_ == 0 || names(styles_, client.style); }
	bool is_one() const noexcept { return known_ == 1; }

private:
	View styles_;
	unsigned known_ = 0;
};

// Clients with the same words share them: "include (Sequelize, Prisma)".
void
write_words(Text &text, View styles, Remedy remedy) noexcept
{
	const Chosen chosen(styles);
	bool any = false;

	for (const Client &client : clients)
	{
		const View words = client.words[remedy];
		const auto same = [&](const Client &other) { return chosen.include(other) && other.words[remedy] == words; };
		if (!chosen.include(client) || std::any_of(clients, &client, same))
			continue;
		text << (any ? ", " : "") << words << (chosen.is_one() ? " in " : " (") << client.name;
		for (const Client *other = &client + 1; other != std::end(clients); ++other)
			if (same(*other))
				text << ", " << other->name;
		text << (chosen.is_one() ? "" : ")");
		any = true;
	}
}

void
write_task(Text &text, const Ailment &ailment) noexcept
{
	const View child = ailment.child_table;
	const View parent = ailment.parent_table;

	if (ailment.kind == "write")
		text << "Write all rows of " << child << " with one statement";
	else if (ailment.kind == "duplicate")
		text << "Ask " << child << " once and keep the answer";
	else if (ailment.kind == "lookup" || parent.empty())
		text << "Load all rows of " << child << " with one query by a list of " << ailment.child_column;
	else if (ailment.kind == "count")
		text << "Count the rows of " << child << " for all rows of " << parent << " in one query grouped by "
			 << ailment.child_column;
	else if (ailment.kind == "exists")
		text << "Ask once which rows of " << parent << " have a match in " << child;
	else
		text << "Load " << child << " together with the rows of " << parent;
}

Remedy
remedy_of(const Ailment &ailment) noexcept
{
	if (ailment.kind == "write")
		return write;
	if (ailment.kind == "duplicate")
		return cache;
	if (ailment.kind == "lookup" || ailment.parent_table.empty())
		return list;
	if (ailment.kind == "count")
		return count;
	if (ailment.kind == "exists")
		return exists;
	return ailment.direction == "N:1" ? to_one : to_many;
}

} // namespace

void
write_advice(const Ailment &ailment, char *buffer, std::size_t size) noexcept
{
	Text text(buffer, size);

	if (ailment.kind == "server_loop")
	{
		text << "In the function, put one statement over the whole set in place of the loop over "
			 << ailment.child_table
			 << ": a join, or = ANY of an array of keys, or for writes INSERT ... SELECT and UPDATE ... FROM.";
		return;
	}
	write_task(text, ailment);
	text << ": ";
	write_words(text, ailment.client, remedy_of(ailment));
	text << ".";
}

void
write_title(const Ailment &ailment, std::uint64_t repeats, char *buffer, std::size_t size) noexcept
{
	Text text(buffer, size);
	char number[32];

	std::snprintf(number, sizeof(number), "%llu", static_cast<unsigned long long>(repeats));
	const bool in_server = ailment.kind == "server_loop";
	const bool writes = ailment.kind == "write" || (in_server && ailment.direction == "write");
	text << ailment.child_table << (writes ? " was written " : " was queried ") << number << " times";
	if (in_server)
		text << " inside a statement";
	else if (writes)
		text << ", one row each time";
	else if (ailment.kind == "duplicate")
		text << " with the same values";
	else if (!ailment.parent_table.empty())
		text << ", each time for a row of " << ailment.parent_table;
	else if (!ailment.child_column.empty())
		text << ", each time for another " << ailment.child_column;
}

} // namespace remedy::repetition
