// sources:

#include "check.hpp"

#include "repetition/name_list.hpp"

using remedy::repetition::list_holds;

TEST(names_between_commas)
{
	CHECK(list_holds("public.books", "public.books"));
	CHECK(list_holds("a,public.books,b", "public.books"));
	CHECK(list_holds("  a ,\tpublic.books\n, b ", "public.books"));
	CHECK(list_holds("\"My Books\".\"A Table\", b", "\"My Books\".\"A Table\""));
	CHECK(list_holds(",,a,", "a"));
}

TEST(whole_names)
{
	CHECK(!list_holds("public.books", "public.book"));
	CHECK(!list_holds("public.book", "public.books"));
	CHECK(!list_holds("public.books x", "public.books"));
	CHECK(!list_holds("Public.books", "public.books"));
	CHECK(!list_holds("public,books", "public.books"));
}

TEST(an_empty_list_or_name)
{
	CHECK(!list_holds("", "a"));
	CHECK(!list_holds("", ""));
	CHECK(!list_holds(" , ,", ""));
	CHECK(!list_holds("a", ""));
}
