// sources: src/repetition/advice.cpp

#include "check.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "repetition/advice.hpp"

namespace {

using remedy::repetition::Ailment;
using remedy::repetition::write_advice;
using remedy::repetition::write_title;

constexpr const char *clients[] = {"sqlalchemy", "django", "activerecord", "hibernate", "sequelize",
								   "typeorm",    "prisma", "drizzle",      "mikroorm",  "objection"};
constexpr const char *kinds[] = {"select", "lookup", "count", "exists", "write", "duplicate", "server_loop"};

std::string
advice_for(const Ailment &ailment)
{
	char buffer[remedy::repetition::advice_bytes];
	write_advice(ailment, buffer, sizeof(buffer));
	return buffer;
}

std::string
advice(std::string_view kind, std::string_view direction, std::string_view client)
{
	return advice_for({kind, direction, client, "public.books", "author_id", "public.authors"});
}

std::string
title(const Ailment &ailment)
{
	char buffer[remedy::repetition::title_bytes];
	write_title(ailment, 12, buffer, sizeof(buffer));
	return buffer;
}

bool
has(const std::string &text, const char *part)
{
	return text.find(part) != std::string::npos;
}

} // namespace

TEST(advice_names_the_table_and_ends_as_a_sentence)
{
	for (const char *kind : kinds)
		for (const char *direction : {"N:1", "1:N"})
			for (const char *client : {"sqlalchemy", "django", "activerecord/django", ""})
			{
				const std::string text = advice(kind, direction, client);
				CHECK(has(text, "public.books"));
				CHECK(text.ends_with("."));
				CHECK(!has(text, " :"));
			}
	for (const char *kind : {"select", "count", "exists"})
		CHECK(has(advice(kind, "1:N", ""), "public.authors"));
}

TEST(advice_speaks_the_clients_language)
{
	CHECK(has(advice("select", "N:1", "sqlalchemy"), "joinedload() or selectinload() in SQLAlchemy."));
	CHECK(has(advice("select", "1:N", "sqlalchemy"), "selectinload()"));
	CHECK(!has(advice("select", "1:N", "sqlalchemy"), "joinedload"));
	CHECK(has(advice("count", "1:N", "sqlalchemy"), "group_by()"));
	CHECK(has(advice("exists", "1:N", "sqlalchemy"), "exists()"));
	CHECK(has(advice("select", "N:1", "django"), "select_related() in Django."));
	CHECK(has(advice("select", "1:N", "django"), "prefetch_related()"));
	CHECK(has(advice("count", "1:N", "django"), "annotate(Count())"));
	CHECK(has(advice("exists", "1:N", "django"), "annotate(Exists())"));
	CHECK(has(advice("write", "write", "django"), "bulk_create() or bulk_update() in Django."));
	CHECK(has(advice("lookup", "N:1", "django"), "in_bulk()"));
	CHECK(has(advice("select", "N:1", "activerecord"), "includes in ActiveRecord."));
	CHECK(has(advice("select", "1:N", "activerecord"), "preload"));
	CHECK(has(advice("write", "write", "activerecord"), "insert_all"));
	CHECK(has(advice("select", "1:N", "hibernate"), "@BatchSize"));
	CHECK(has(advice("select", "N:1", "sequelize"), "include in Sequelize."));
	CHECK(has(advice("select", "N:1", "typeorm"), "relations in TypeORM."));
	CHECK(has(advice("write", "write", "prisma"), "createMany"));
	CHECK(has(advice("lookup", "N:1", "prisma"), "findMany with in"));
	CHECK(has(advice("select", "1:N", "drizzle"), "with in Drizzle."));
	CHECK(has(advice("select", "1:N", "mikroorm"), "populate in MikroORM."));
	CHECK(has(advice("lookup", "N:1", "objection"), "findByIds()"));
	CHECK(has(advice("duplicate", "same", "activerecord"), "Rails.cache"));
}

TEST(advice_of_one_client_names_no_other)
{
	const char *const names[] = {"SQLAlchemy", "Django", "ActiveRecord", "Hibernate", "Sequelize",
								 "TypeORM",    "Prisma", "Drizzle",      "MikroORM",  "Objection"};

	for (std::size_t own = 0; own < std::size(clients); ++own)
		for (const char *kind : {"select", "lookup", "count", "exists", "write", "duplicate"})
			for (const char *direction : {"N:1", "1:N"})
				for (std::size_t other = 0; other < std::size(names); ++other)
					CHECK(has(advice(kind, direction, clients[own]), names[other]) == (own == other));
}

TEST(several_clients_are_offered_the_words_of_each)
{
	const std::string text = advice("write", "write", "activerecord/django");
	CHECK(text == "Write all rows of public.books with one statement: bulk_create() or bulk_update() (Django), "
				  "insert_all, upsert_all or update_all (ActiveRecord).");
	CHECK(has(advice("select", "N:1", "drizzle/mikroorm/objection"),
			  ": with (Drizzle), populate (MikroORM), withGraphFetched() (Objection)."));
}

TEST(an_unknown_client_is_offered_the_words_of_all)
{
	for (const char *client : {"", "a client of tomorrow"})
	{
		const std::string to_one = advice("select", "N:1", client);
		for (const char *word :
			 {"joinedload", "select_related", "includes", "JOIN FETCH", "include (Sequelize, Prisma)", "relations",
			  "with (Drizzle)", "populate", "withGraphFetched"})
			CHECK(has(to_one, word));
		const std::string to_many = advice("select", "1:N", client);
		for (const char *word : {"selectinload", "prefetch_related", "preload", "@BatchSize", "relations", "populate"})
			CHECK(has(to_many, word));
		CHECK(has(advice("count", "1:N", client), "counter_cache"));
		CHECK(has(advice("write", "write", client), "createMany"));
	}
}

TEST(a_loop_without_a_parent)
{
	CHECK(advice_for({"lookup", "N:1", "sqlalchemy", "books", "number", ""}) ==
		  "Load all rows of books with one query by a list of number: where(key.in_(keys)) in SQLAlchemy.");
	CHECK(has(advice_for({"select", "1:N", "sqlalchemy", "books", "author_id", ""}), "by a list of author_id"));
	CHECK(advice_for({"duplicate", "same", "django", "settings", "name", ""}) ==
		  "Ask settings once and keep the answer: functools.cache or the cache framework in Django.");
	CHECK(advice_for({"write", "write", "prisma", "events", "", ""}) ==
		  "Write all rows of events with one statement: createMany or updateMany in Prisma.");
}

TEST(a_loop_in_the_server_is_not_the_clients)
{
	CHECK(advice("server_loop", "1:N", "django") == advice("server_loop", "1:N", ""));
	CHECK(!has(advice("server_loop", "1:N", "django"), "Django"));
}

TEST(titles_tell_what_happened)
{
	CHECK(title({"select", "1:N", "", "books", "author_id", "authors"}) ==
		  "books was queried 12 times, each time for a row of authors");
	CHECK(title({"lookup", "N:1", "", "books", "number", ""}) ==
		  "books was queried 12 times, each time for another number");
	CHECK(title({"duplicate", "same", "", "settings", "name", ""}) ==
		  "settings was queried 12 times with the same values");
	CHECK(title({"write", "write", "", "events", "", ""}) == "events was written 12 times, one row each time");
	CHECK(title({"server_loop", "", "", "books", "", ""}) == "books was queried 12 times inside a statement");
	CHECK(title({"server_loop", "write", "", "books", "", ""}) == "books was written 12 times inside a statement");
}

TEST(the_longest_advice_is_not_cut)
{
	const std::string name(270, 'n'); // qualified and quoted

	for (const char *kind : kinds)
		for (const char *direction : {"N:1", "1:N"})
		{
			const std::string text = advice_for({kind, direction, "", name, std::string(63, 'c'), name});
			CHECK(text.ends_with("."));
			CHECK(title({kind, direction, "", name, std::string(63, 'c'), name}).size() + 1 <
				  remedy::repetition::title_bytes);
		}
}

TEST(a_count_names_the_column_it_is_grouped_by)
{
	CHECK(has(advice("count", "1:N", "django"), "grouped by author_id"));
}

TEST(names_need_no_nul_behind_them)
{
	const std::string_view names = "public.booksauthor_idpublic.authors";
	char buffer[1000];
	write_advice({"count", "1:N", "django", names.substr(0, 12), names.substr(12, 9), names.substr(21, 14)}, buffer,
				 sizeof(buffer));
	CHECK(std::string(buffer) == advice("count", "1:N", "django"));
}

TEST(advice_is_cut_to_the_buffer)
{
	const std::string whole = advice("select", "N:1", "");
	for (std::size_t size = 1; size <= whole.size() + 2; ++size)
	{
		std::vector<char> buffer(size + 1, '#');
		write_advice({"select", "N:1", "", "public.books", "author_id", "public.authors"}, buffer.data(), size);
		CHECK(buffer[size] == '#');
		CHECK(std::strlen(buffer.data()) < size);
		CHECK(whole.starts_with(buffer.data()));
		CHECK(std::strlen(buffer.data()) == std::min(size - 1, whole.size()));
	}
}
