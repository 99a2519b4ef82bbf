// sources: src/repetition/client_style.cpp

#include "check.hpp"

#include <cstring>
#include <string_view>

#include "repetition/client_style.hpp"

// The texts are what the clients of test/orm/corpus wrote to a server, constants numbered as the server does.

namespace {

using remedy::repetition::client_style;

template <std::size_t count>
bool
all_are(std::string_view style, const char *const (&queries)[count])
{
	bool all = true;

	for (const char *query : queries)
		if (client_style(query) != style)
		{
			std::printf("%s, not %s: %s\n", client_style(query).data(), style.data(), query);
			all = false;
		}
	return all;
}

} // namespace

TEST(sqlalchemy)
{
	CHECK(
		all_are("sqlalchemy",
				{"SELECT books.id AS books_id, books.title AS books_title \nFROM books \nWHERE $1 = books.author_id",
				 "SELECT books.id, books.title \nFROM books \nWHERE books.author_id = $1",
				 "SELECT books.title \nFROM books \nWHERE books.author_id = $1 ORDER BY books.id \n LIMIT $2",
				 "SELECT tags.id \nFROM tags, book_tags \nWHERE $1 = book_tags.book_id AND tags.id = book_tags.tag_id",
				 "SELECT count(*) AS count_1 \nFROM books \nWHERE books.author_id = $1",
				 "SELECT count(*) AS count_1 \nFROM (SELECT books.id AS books_id \nFROM books \n"
				 "WHERE books.author_id = $1) AS anon_1",
				 "SELECT EXISTS (SELECT $1 \nFROM books \nWHERE books.author_id = $2) AS anon_1",
				 "SELECT EXISTS (SELECT * FROM books WHERE books.author_id = $1) AS anon_1",
				 "INSERT INTO events (kind, created_at) VALUES ($1, $2) RETURNING events.id",
				 "UPDATE readers SET name=$1 WHERE readers.id = $2", "DELETE FROM jobs WHERE jobs.id = $1"}));
}

TEST(django)
{
	CHECK(all_are(
		"django",
		{"SELECT \"books\".\"id\", \"books\".\"title\" FROM \"books\" WHERE \"books\".\"author_id\" = $1",
		 "SELECT \"authors\".\"id\", \"authors\".\"name\" FROM \"authors\" WHERE \"authors\".\"id\" = $1 LIMIT $2",
		 "SELECT \"tags\".\"id\" FROM \"tags\" INNER JOIN \"book_tags\" ON (\"tags\".\"id\" = "
		 "\"book_tags\".\"tag_id\") WHERE \"book_tags\".\"book_id\" = $1",
		 "SELECT COUNT(*) AS \"__count\" FROM \"books\" WHERE \"books\".\"author_id\" = $1",
		 // Up to 3.2 with parentheses, later without.
		 "SELECT ($1) AS \"a\" FROM \"books\" WHERE \"books\".\"author_id\" = $2 LIMIT $3",
		 "SELECT $1 AS \"a\" FROM \"books\" WHERE \"books\".\"author_id\" = $2 LIMIT $3",
		 "SELECT SUM(\"books\".\"price\") AS \"total\" FROM \"books\" WHERE \"books\".\"author_id\" = $1",
		 "INSERT INTO \"events\" (\"kind\", \"created_at\") VALUES ($1, $2) RETURNING \"events\".\"id\""}));
}

TEST(active_record)
{
	CHECK(all_are(
		"activerecord",
		{"SELECT \"books\".* FROM \"books\" WHERE \"books\".\"author_id\" = $1",
		 "SELECT \"authors\".* FROM \"authors\" WHERE \"authors\".\"id\" = $1 LIMIT $2",
		 "SELECT \"tags\".* FROM \"tags\" INNER JOIN \"book_tags\" ON \"tags\".\"id\" = \"book_tags\".\"tag_id\" "
		 "WHERE \"book_tags\".\"book_id\" = $1",
		 "SELECT COUNT(*) FROM \"books\" WHERE \"books\".\"author_id\" = $1",
		 "SELECT SUM(\"books\".\"price\") FROM \"books\" WHERE \"books\".\"author_id\" = $1",
		 "SELECT $3 AS one FROM \"books\" WHERE \"books\".\"author_id\" = $1 LIMIT $2",
		 "SELECT \"authors\".\"id\" AS t0_r0, \"books\".\"id\" AS t1_r0 FROM \"authors\" LEFT OUTER JOIN "
		 "\"books\" ON \"books\".\"author_id\" = \"authors\".\"id\"",
		 "INSERT INTO \"events\" (\"kind\", \"created_at\") VALUES ($1, $2) RETURNING \"id\"",
		 "INSERT INTO \"order_lines\" (\"order_id\", \"line\") VALUES ($1, $2) RETURNING \"order_id\"",
		 "/*action='index',controller='books'*/ SELECT \"books\".* FROM \"books\" WHERE \"books\".\"id\" = $1"}));
}

TEST(active_record_and_django_write_alike)
{
	CHECK(all_are("activerecord/django", {"UPDATE \"jobs\" SET \"state\" = $1 WHERE \"jobs\".\"id\" = $2",
										  "DELETE FROM \"jobs\" WHERE \"jobs\".\"id\" = $1",
										  "DELETE FROM \"jobs\" WHERE \"jobs\".\"id\" IN ($1)"}));
}

TEST(hibernate)
{
	CHECK(all_are("hibernate", {"select b1_0.author_id,b1_0.id from books b1_0 where b1_0.author_id=$1",
								"select books0_.author_id as author_i3_1_0_, books0_.id as id1_1_0_ from books books0_ "
								"where books0_.author_id=$1",
								"select count(b1_0.id) from books b1_0 where b1_0.author_id=$1"}));
}

TEST(sequelize)
{
	CHECK(all_are(
		"sequelize",
		{"SELECT \"id\", \"title\", \"author_id\" AS \"authorId\" FROM \"books\" AS \"Book\" "
		 "WHERE \"Book\".\"author_id\" = $1",
		 "SELECT COUNT(\"Book\".\"id\") AS \"count\" FROM \"books\" AS \"Book\" WHERE \"Book\".\"author_id\" = $1",
		 "SELECT \"id\" FROM \"books\" AS \"Book\" WHERE \"Book\".\"author_id\" = $1 LIMIT $2",
		 "SELECT count(*) AS \"count\" FROM \"jobs\" AS \"Job\" WHERE \"Job\".\"state\" = $1",
		 "INSERT INTO \"events\" (\"id\",\"kind\") VALUES (DEFAULT,$1) RETURNING \"id\",\"kind\"",
		 "UPDATE \"readers\" SET \"name\"=$1 WHERE \"id\" = $2"}));
}

TEST(typeorm)
{
	CHECK(
		all_are("typeorm",
				{"SELECT \"Book\".\"id\" AS \"Book_id\", \"Book\".\"title\" AS \"Book_title\" FROM \"books\" \"Book\" "
				 "WHERE ((\"Book\".\"authorId\" = $1)) LIMIT 1",
				 "SELECT COUNT(1) AS \"cnt\" FROM \"books\" \"Book\" WHERE ((\"Book\".\"author_id\" = $1))",
				 "SELECT $1 AS \"row_exists\" FROM (SELECT $2 AS dummy_column) \"dummy_table\" WHERE EXISTS "
				 "(SELECT $3 FROM \"books\" \"Book\" WHERE ((\"Book\".\"author_id\" = $4))) LIMIT $5",
				 "INSERT INTO \"events\"(\"id\", \"kind\", \"created_at\") VALUES (DEFAULT, $1, $2) RETURNING \"id\"",
				 "UPDATE \"readers\" SET \"name\" = $1 WHERE \"id\" IN ($2)"}));
}

TEST(prisma)
{
	CHECK(all_are(
		"prisma",
		{"SELECT \"public\".\"books\".\"id\", \"public\".\"books\".\"title\" FROM \"public\".\"books\" "
		 "WHERE \"public\".\"books\".\"author_id\" = $1 OFFSET $2",
		 "SELECT \"public\".\"authors\".\"id\" FROM \"public\".\"authors\" "
		 "WHERE (\"public\".\"authors\".\"id\" = $1 AND $4=$5) LIMIT $2 OFFSET $3",
		 "SELECT COUNT(*) AS \"_count$_all\" FROM (SELECT \"public\".\"books\".\"id\" FROM \"public\".\"books\" "
		 "WHERE \"public\".\"books\".\"author_id\" = $1 OFFSET $2) AS \"sub\"",
		 "INSERT INTO \"public\".\"tags\" (\"id\",\"name\") VALUES ($1,$2) "
		 "RETURNING \"public\".\"tags\".\"id\", \"public\".\"tags\".\"name\"",
		 "UPDATE \"public\".\"jobs\" SET \"state\" = $1 WHERE (\"public\".\"jobs\".\"id\" = $2 AND $3=$4)"}));
}

TEST(mikro_orm)
{
	CHECK(
		all_are("mikroorm", {"select \"b0\".* from \"books\" as \"b0\" where \"b0\".\"author_id\" = $1",
							 "select count(*) as \"count\" from \"books\" as \"b0\" where \"b0\".\"author_id\" = $1"}));
}

TEST(objection)
{
	CHECK(all_are(
		"objection",
		{"select \"books\".* from \"books\" where \"books\".\"author_id\" = $1",
		 "select count(*) from (select \"books\".\"id\" from \"books\" where \"author_id\" = $1) as \"temp\""}));
}

TEST(drizzle)
{
	CHECK(all_are("drizzle", {"select \"id\", \"title\" from \"books\" where \"books\".\"author_id\" = $1",
							  "select \"id\", \"title\" from \"books\" \"books\" where \"books\".\"author_id\" = $1",
							  "select count(*) as count from \"books\" where \"books\".\"author_id\" = $1",
							  "insert into \"events\" (\"id\", \"kind\") values (default, $1) returning \"id\""}));
}

TEST(builders_in_lower_case_write_alike)
{
	CHECK(all_are("drizzle/mikroorm/objection",
				  {"update \"jobs\" set \"state\" = $1 where \"jobs\".\"id\" = $2",
				   "delete from \"jobs\" where \"id\" = $1",
				   "insert into \"tags\" (\"id\", \"name\") values ($1, $2) returning \"id\"",
				   "select sum(\"price\") from \"books\" where \"books\".\"author_id\" = $1"}));
}

TEST(others_are_not_known)
{
	CHECK(all_are("", {"SELECT b0.\"id\" FROM \"books\" AS b0 WHERE (b0.\"author_id\" = $1)", // Ecto
					   "select * from \"books\" where \"books\".\"author_id\" = $1",          // Eloquent
					   "SELECT * FROM \"books\" WHERE \"books\".\"author_id\" = $1",          // GORM
					   "SELECT id, title FROM books WHERE author_id = $1",
					   "SELECT id\nFROM books\nWHERE author_id = $1",
					   "INSERT INTO books (id, title) VALUES ($1, $2)",
					   "INSERT INTO books VALUES ($1) RETURNING id",
					   "UPDATE books SET title = $1 WHERE id = $2",
					   "UPDATE readers SET name = c.name FROM unnest($1::int[]) AS c (id) WHERE readers.id = c.id",
					   "DELETE FROM books WHERE id = $1",
					   "insert into books (title,id) values ($1,$2)",
					   "SELECT 1",
					   "SELECT",
					   "UPDATE ",
					   "DELETE FROM",
					   "INSERT INTO \"",
					   "select \"",
					   "/* a tag",
					   "/**/",
					   ""}));
}

TEST(a_text_may_be_cut_anywhere)
{
	for (const std::string_view query :
		 {"SELECT \"public\".\"books\".\"id\" FROM \"public\".\"books\" WHERE \"public\".\"books\".\"id\" = $1 OFFSET "
		  "$2",
		  "INSERT INTO \"events\" (\"kind\", \"created_at\") VALUES ($1, $2) RETURNING \"events\".\"id\"",
		  "UPDATE \"jobs\" SET \"state\" = $1 WHERE \"jobs\".\"id\" = $2",
		  "/* tag */ select \"b0\".* from \"books\" as \"b0\" where \"b0\".\"author_id\" = $1",
		  "SELECT books.id \nFROM books \nWHERE books.id = $1", "select b1_0.id from books b1_0 where b1_0.id=$1"})
		for (std::size_t length = 0; length <= query.size(); ++length)
		{
			const std::string_view style = client_style(query.substr(0, length));
			CHECK(std::strlen(style.data()) == style.size());
		}
}
