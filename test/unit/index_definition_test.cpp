// sources: src/index_advice/definition.cpp
#include "check.hpp"
#include "index_advice/definition.hpp"

#include <string>

using namespace remedy::index_advice;

namespace {

// "a b+ c-" : a free part a, then b upwards and c downwards.  A letter stands for its column.
Definition
btree(const char *parts, const char *includes = "", const char *predicate = "")
{
	Definition definition = {};

	definition.relation = 1;
	definition.table = "public.t";
	definition.method = "btree";
	definition.predicate = predicate;
	for (; *parts != '\0'; ++parts)
	{
		Part &part = definition.parts[definition.part_count++];
		part.text = std::string_view(parts, 1);
		part.column = *parts;
		if (parts[1] != '+' && parts[1] != '-')
			++definition.free_parts;
		else
			part.descending = part.nulls_first = *++parts == '-';
	}
	for (; *includes != '\0'; ++includes)
		definition.includes[definition.include_count++] = {*includes, std::string_view(includes, 1)};
	return definition;
}

std::string
ddl(const Definition &definition, bool concurrently = false)
{
	char text[1000];

	write_ddl(definition, concurrently, text, sizeof(text));
	return text;
}

std::string
merged(const Definition &a, const Definition &b)
{
	Definition out = {};
	Definition reversed = {};

	const bool done = merge(a, b, out);
	CHECK(done == merge(b, a, reversed));
	return done ? ddl(out).substr(sizeof("CREATE INDEX ON public.t ") - 1) : "none";
}

} // namespace

TEST(a_plain_index_is_written)
{
	CHECK(ddl(btree("ab+")) == "CREATE INDEX ON public.t (a, b)");
	CHECK(ddl(btree("a"), true) == "CREATE INDEX CONCURRENTLY ON public.t (a)");
}

TEST(all_of_an_index_is_written)
{
	Definition index = btree("ab-", "cd", "(e IS NULL)");
	index.method = "gist";
	index.parts[0].collation = "\"C\"";
	index.parts[0].opclass = "text_pattern_ops";
	CHECK(ddl(index) == "CREATE INDEX ON public.t USING gist (a COLLATE \"C\" text_pattern_ops, b DESC) INCLUDE (c, d) "
						"WHERE (e IS NULL)");
}

TEST(nulls_are_written_where_they_are_not_where_they_belong)
{
	Definition index = btree("a-b+");
	index.parts[0].nulls_first = false;
	index.parts[1].nulls_first = true;
	CHECK(ddl(index) == "CREATE INDEX ON public.t (a DESC NULLS LAST, b NULLS FIRST)");
}

TEST(partitioned_tables_are_not_indexed_concurrently)
{
	Definition index = btree("a");
	index.partitioned = true;
	CHECK(ddl(index, true) == "CREATE INDEX ON public.t (a)");
}

TEST(a_text_is_cut_to_its_room)
{
	char text[8] = "1234567";
	const std::size_t length = write_ddl(btree("a"), false, text, 7);
	CHECK(length == sizeof("CREATE INDEX ON public.t (a)") - 1);
	CHECK(std::string(text) == "CREATE");
	CHECK(write_ddl(btree("a"), false, nullptr, 0) == length);
	CHECK(write_ddl(btree("a"), false, text, 1) == length && text[0] == '\0');
}

TEST(the_same_index_is_the_same)
{
	CHECK(same(btree("ab", "cd"), btree("ab", "dc")));
	CHECK(same(btree("ab"), btree("a+b+")));
}

TEST(another_index_is_another)
{
	CHECK(!same(btree("ab"), btree("ba")));
	CHECK(!same(btree("a"), btree("ab")));
	CHECK(!same(btree("a+"), btree("a-")));
	CHECK(!same(btree("a", "b"), btree("a")));
	CHECK(!same(btree("a", "b"), btree("a", "c")));
	CHECK(!same(btree("a"), btree("a", "", "b")));
	Definition other = btree("a");
	other.relation = 2;
	CHECK(!same(btree("a"), other));
	other = btree("a");
	other.method = "brin";
	CHECK(!same(btree("a"), other));
	other = btree("a");
	other.parts[0].opclass = "text_pattern_ops";
	CHECK(!same(btree("a"), other));
	other = btree("a-");
	other.parts[0].nulls_first = false;
	CHECK(!same(btree("a-"), other));
	other = btree("a");
	other.parts[0].collation = "\"C\"";
	CHECK(!same(btree("a"), other));
}

TEST(an_index_begins_with_another)
{
	CHECK(is_prefix(btree("a"), btree("ab")));
	CHECK(is_prefix(btree("a"), btree("a")));
	CHECK(!is_prefix(btree("ab"), btree("a")));
	CHECK(!is_prefix(btree("b"), btree("ab")));
	CHECK(!is_prefix(btree("a"), btree("ab", "", "c")));
}

TEST(an_index_is_read_backwards_too)
{
	CHECK(is_prefix(btree("a-"), btree("a+b+")));
	CHECK(is_prefix(btree("a-b+"), btree("a+b-c+")));
	CHECK(!is_prefix(btree("a+b-"), btree("a+b+")));
	Definition last = btree("a-");
	last.parts[0].nulls_first = false;
	CHECK(!is_prefix(last, btree("a+")));
}

TEST(included_columns_count_for_prefixes)
{
	CHECK(is_prefix(btree("a", "b"), btree("ab")));
	CHECK(is_prefix(btree("a", "b"), btree("a", "cb")));
	CHECK(!is_prefix(btree("a", "b"), btree("a")));
	CHECK(is_prefix(btree("a"), btree("a", "b")));
}

TEST(only_b_trees_have_prefixes)
{
	Definition narrow = btree("a"), wide = btree("ab");
	narrow.method = wide.method = "gin";
	CHECK(!is_prefix(narrow, wide));
	CHECK(!serves(wide, narrow));
	CHECK(is_prefix(narrow, narrow));
	CHECK(serves(narrow, narrow));
}

TEST(free_parts_are_served_in_any_order)
{
	CHECK(serves(btree("b+a+c+"), btree("ab")));
	CHECK(serves(btree("b+a+c+"), btree("abc+")));
	CHECK(serves(btree("b+a+c-"), btree("abc+")));
	CHECK(!serves(btree("b+c+a+"), btree("ab")));
	CHECK(!serves(btree("b+a+c+"), btree("a+b+")));
	CHECK(!serves(btree("a"), btree("ab")));
	CHECK(!serves(btree("ab+d+"), btree("abc+")));
	CHECK(!serves(btree("ab"), btree("ab", "c")));
	CHECK(serves(btree("abc"), btree("ab", "c")));
	CHECK(!serves(btree("a", "", "b"), btree("a")));
}

TEST(an_index_has_as_many_parts_as_it_says)
{
	Definition shorter = btree("ab+");
	shorter.part_count = 1;
	CHECK(!serves(shorter, btree("ab+")));
}

TEST(what_orders_is_served_in_both_directions_only_as_a_whole)
{
	CHECK(serves(btree("ab-c-"), btree("ab+c+")));
	CHECK(!serves(btree("ab-c+"), btree("ab+c+")));
}

TEST(the_longer_takes_in_its_prefix)
{
	CHECK(merged(btree("a"), btree("ab")) == "(a, b)");
	CHECK(merged(btree("a"), btree("ab+")) == "(a, b)");
	CHECK(merged(btree("a"), btree("a")) == "(a)");
}

TEST(shared_equalities_come_first)
{
	CHECK(merged(btree("a"), btree("ba")) == "(a, b)");
	CHECK(merged(btree("ac"), btree("bca")) == "(a, c, b)");
	CHECK(merged(btree("a"), btree("bac-")) == "(a, b, c DESC)");
	CHECK(merged(btree("ab"), btree("ac")) == "none");
	CHECK(merged(btree("a"), btree("b")) == "none");
}

TEST(an_order_goes_on_in_the_other_ones_equalities)
{
	CHECK(merged(btree("ab-"), btree("bca")) == "(a, b DESC, c)");
	CHECK(merged(btree("ab+"), btree("ac+")) == "none");
	CHECK(merged(btree("ac+"), btree("ba")) == "none");
	CHECK(merged(btree("ab+"), btree("ab+c+")) == "(a, b, c)");
	CHECK(merged(btree("b+"), btree("ab")) == "(b, a)");
	CHECK(merged(btree("b+c+"), btree("ab")) == "none");
	CHECK(merged(btree("ab+c+"), btree("ba")) == "(a, b, c)");
}

TEST(orders_that_differ_do_not_merge)
{
	CHECK(merged(btree("ab+"), btree("ab-c+")) == "none");
	CHECK(merged(btree("a+b+"), btree("b+a+")) == "none");
}

TEST(a_merged_index_keeps_free_what_both_left_free)
{
	Definition out = {};
	CHECK(merge(btree("ab"), btree("cab"), out));
	CHECK(out.free_parts == 2 && out.part_count == 3);
}

TEST(included_columns_are_united)
{
	CHECK(merged(btree("a", "c"), btree("ab", "d")) == "(a, b) INCLUDE (c, d)");
	CHECK(merged(btree("a", "b"), btree("ab")) == "(a, b)");
	CHECK(merged(btree("a", "bcdefghijk"), btree("a", "lmnopqrst")) == "none");
}

TEST(indexes_of_other_rows_do_not_merge)
{
	CHECK(merged(btree("a", "", "(b IS NULL)"), btree("ab")) == "none");
	CHECK(merged(btree("a", "", "c"), btree("ab", "", "c")) == "(a, b) WHERE c");
	Definition other = btree("ab");
	other.relation = 2;
	CHECK(merged(btree("a"), other) == "none");
}

TEST(other_methods_merge_with_their_like_only)
{
	Definition narrow = btree("a"), wide = btree("ab");
	narrow.method = wide.method = "brin";
	CHECK(merged(narrow, wide) == "none");
	CHECK(merged(narrow, narrow) == "USING brin (a)");
}

TEST(indexes_of_many_parts_merge)
{
	CHECK(merged(btree("abcdefgh"), btree("a")) == "(a, b, c, d, e, f, g, h)");
	CHECK(merged(btree("abcdefgh"), btree("abcdi+j+")) == "none");
	CHECK(merged(btree("abcd"), btree("abcdi+j+k+l+")) == "(a, b, c, d, i, j, k, l)");
}
