// sources: src/repetition/advice.cpp

#include "check.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "repetition/advice.hpp"

// The texts are what the clients wrote to a server's log, constants numbered as the server does.

namespace {

using remedy::repetition::client_style;
using remedy::repetition::Ailment;
using remedy::repetition::write_advice;

std::string
advice(std::string_view kind, std::string_view direction, std::string_view client)
{
	char buffer[1000];
	write_advice({kind, direction, client, "public.books", "author_id", "public.authors"}, buffer, sizeof(buffer));
	return buffer;
}

bool
has(const std::string &text, const char *part)
{
	return text.find(part) != std::string::npos;
}

bool
is_plain(std::string_view query)
{
	return client_style(query).empty();
}

} // namespace

TEST(sqlalchemy_by_the_spaces_before_its_line_ends)
{
	// An object's list, select(), get(), ORDER BY with LIMIT, and a join.
	CHECK(client_style("SELECT books.id AS books_id, books.title AS books_title \nFROM books \n"
					   "WHERE $1 = books.author_id") == "sqlalchemy");
	CHECK(client_style("SELECT books.id, books.title \nFROM books \nWHERE books.author_id = $1") == "sqlalchemy");
	CHECK(client_style("SELECT authors.id AS authors_id \nFROM authors \nWHERE authors.id = $1") == "sqlalchemy");
	CHECK(client_style("SELECT books.title \nFROM books \nWHERE books.author_id = $1 ORDER BY books.id \n LIMIT $2") ==
		  "sqlalchemy");
	CHECK(client_style("SELECT tags.id \nFROM tags, book_tags \nWHERE $1 = book_tags.book_id "
					   "AND tags.id = book_tags.tag_id") == "sqlalchemy");
}

TEST(sqlalchemy_counts_and_exists)
{
	CHECK(client_style("SELECT count(*) AS count_1 \nFROM books \nWHERE books.author_id = $1") == "sqlalchemy");
	CHECK(client_style("SELECT count(*) AS count_1 \nFROM (SELECT books.id AS books_id \nFROM books \n"
					   "WHERE books.author_id = $1) AS anon_1") == "sqlalchemy");
	CHECK(client_style("SELECT EXISTS (SELECT $1 \nFROM books \nWHERE books.author_id = $2) AS anon_1") ==
		  "sqlalchemy");
	CHECK(client_style("SELECT EXISTS (SELECT * FROM books WHERE books.author_id = $1) AS anon_1") == "sqlalchemy");
}

TEST(django_by_its_quotes)
{
	CHECK(client_style("SELECT \"library_book\".\"id\", \"library_book\".\"title\", \"library_book\".\"author_id\" "
					   "FROM \"library_book\" WHERE \"library_book\".\"author_id\" = $1") == "django");
	CHECK(client_style("SELECT \"library_author\".\"id\", \"library_author\".\"name\" FROM \"library_author\" "
					   "WHERE \"library_author\".\"id\" = $1 LIMIT $2") == "django");
	CHECK(client_style("SELECT \"library_tag\".\"id\" FROM \"library_tag\" INNER JOIN \"library_book_tags\" ON "
					   "(\"library_tag\".\"id\" = \"library_book_tags\".\"tag_id\") "
					   "WHERE \"library_book_tags\".\"book_id\" = $1") == "django");
}

TEST(django_counts_and_exists)
{
	CHECK(client_style("SELECT COUNT(*) AS \"__count\" FROM \"library_book\" "
					   "WHERE \"library_book\".\"author_id\" = $1") == "django");
	// Up to 3.2 with parentheses, later without.
	CHECK(client_style("SELECT ($1) AS \"a\" FROM \"library_book\" WHERE \"library_book\".\"author_id\" = $2 "
					   "LIMIT $3") == "django");
	CHECK(client_style("SELECT $1 AS \"a\" FROM \"library_book\" WHERE \"library_book\".\"author_id\" = $2 "
					   "LIMIT $3") == "django");
}

TEST(active_record_is_not_known)
{
	CHECK(is_plain("SELECT \"books\".* FROM \"books\" WHERE \"books\".\"author_id\" = $1"));
	CHECK(is_plain("SELECT \"games\".* FROM \"games\" WHERE \"games\".\"id\" = $1 LIMIT $2"));
	CHECK(is_plain("SELECT COUNT(*) FROM \"books\" WHERE \"books\".\"author_id\" = $1"));
	CHECK(is_plain("SELECT $1 AS one FROM \"items\" WHERE \"items\".\"id\" = $2 LIMIT $3"));
}

TEST(prisma_is_not_known)
{
	CHECK(is_plain("SELECT \"public\".\"Post\".\"id\", \"public\".\"Post\".\"title\", \"public\".\"Post\".\"authorId\" "
				   "FROM \"public\".\"Post\" WHERE \"public\".\"Post\".\"authorId\" = $1 OFFSET $2"));
	CHECK(is_plain("SELECT \"shop\".\"Post\".\"id\", \"shop\".\"Post\".\"title\" FROM \"shop\".\"Post\" "
				   "WHERE \"shop\".\"Post\".\"authorId\" = $1 OFFSET $2"));
	CHECK(is_plain("SELECT COUNT(*) FROM (SELECT \"public\".\"Post\".\"id\" FROM \"public\".\"Post\" "
				   "WHERE \"public\".\"Post\".\"authorId\" = $1 OFFSET $2) AS \"sub\""));
}

TEST(sequelize_is_not_known)
{
	CHECK(is_plain("SELECT \"id\", \"firstName\", \"age\" FROM \"Cats\" AS \"Cat\" WHERE \"Cat\".\"id\" = $1;"));
	CHECK(is_plain("SELECT count(*) AS \"count\" FROM \"Views\" AS \"View\" WHERE \"View\".\"videoId\" = $1;"));
}

TEST(typeorm_is_not_known)
{
	CHECK(is_plain("SELECT \"Book\".\"id\" AS \"Book_id\", \"Book\".\"title\" AS \"Book_title\" "
				   "FROM \"book\" \"Book\" WHERE ((\"Book\".\"authorId\" = $1)) LIMIT 1"));
	CHECK(is_plain("SELECT COUNT(1) AS \"cnt\" FROM \"symbols\" \"SymbolEntity\" "
				   "WHERE ((\"SymbolEntity\".\"system_id\" = $1))"));
	CHECK(is_plain("SELECT 1 AS \"row_exists\" FROM (SELECT 1 AS dummy_column) \"dummy_table\" WHERE EXISTS "
				   "(SELECT 1 FROM \"systems\" \"SystemEntity\" WHERE ((\"SystemEntity\".\"id\" = $1))) LIMIT 1"));
}

TEST(other_builders_and_hands_are_not_known)
{
	CHECK(is_plain("select \"id\", \"title\" from \"books\" where \"books\".\"author_id\" = $1")); // Drizzle
	CHECK(is_plain("select \"b0\".* from \"book\" as \"b0\" where \"b0\".\"author_id\" = $1"));    // MikroORM
	CHECK(is_plain("select \"books\".* from \"books\" where \"books\".\"authorId\" = $1"));        // Objection
	CHECK(is_plain("select b1_0.author_id,b1_0.id from books b1_0 where b1_0.author_id=$1"));      // Hibernate
	CHECK(is_plain("SELECT b0.\"id\" FROM \"books\" AS b0 WHERE (b0.\"author_id\" = $1)"));        // Ecto
	CHECK(is_plain("SELECT id, title FROM books WHERE author_id = $1"));
	CHECK(is_plain("SELECT id\nFROM books\nWHERE author_id = $1"));
	CHECK(is_plain("SELECT 1"));
	CHECK(is_plain(""));
}

TEST(the_style_ends_with_a_nul)
{
	for (const char *query : {"SELECT 1", "SELECT a \nFROM b", "SELECT COUNT(*) AS \"__count\" FROM \"b\""})
	{
		const std::string_view style = client_style(query);
		CHECK(std::strlen(style.data()) == style.size());
	}
}

TEST(advice_names_the_tables_and_ends_as_a_sentence)
{
	for (const char *kind : {"select", "count", "exists"})
		for (const char *direction : {"N:1", "1:N"})
			for (const char *client : {"sqlalchemy", "django", ""})
			{
				const std::string text = advice(kind, direction, client);
				CHECK(has(text, "public.books"));
				CHECK(has(text, "public.authors"));
				CHECK(text.ends_with("."));
			}
}

TEST(advice_speaks_the_clients_language)
{
	CHECK(has(advice("select", "N:1", "sqlalchemy"), "joinedload()"));
	CHECK(has(advice("select", "1:N", "sqlalchemy"), "selectinload()"));
	CHECK(!has(advice("select", "1:N", "sqlalchemy"), "joinedload"));
	CHECK(has(advice("count", "1:N", "sqlalchemy"), "group_by()"));
	CHECK(has(advice("exists", "1:N", "sqlalchemy"), "exists()"));
	CHECK(has(advice("select", "N:1", "django"), "select_related()"));
	CHECK(has(advice("select", "1:N", "django"), "prefetch_related()"));
	CHECK(has(advice("count", "1:N", "django"), "annotate(Count())"));
	CHECK(has(advice("exists", "1:N", "django"), "annotate(Exists())"));
	for (const char *kind : {"select", "count", "exists"})
		for (const char *direction : {"N:1", "1:N"})
		{
			CHECK(!has(advice(kind, direction, "sqlalchemy"), "Django"));
			CHECK(!has(advice(kind, direction, "django"), "SQLAlchemy"));
		}
}

TEST(an_unknown_client_is_offered_the_words_of_several)
{
	for (const char *client : {"", "a client of tomorrow"})
	{
		const std::string to_one = advice("select", "N:1", client);
		for (const char *word : {"joinedload", "select_related", "includes", "JOIN FETCH", "relations", "populate"})
			CHECK(has(to_one, word));
		const std::string to_many = advice("select", "1:N", client);
		for (const char *word : {"selectinload", "prefetch_related", "preload", "@BatchSize", "relations", "populate"})
			CHECK(has(to_many, word));
		CHECK(has(advice("count", "1:N", client), "counter_cache"));
		CHECK(has(advice("exists", "1:N", client), "= ANY"));
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
