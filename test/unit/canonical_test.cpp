// sources: src/index_advice/canonical.cpp

#include "check.hpp"

#include <string>

#include "index_advice/canonical.hpp"

namespace {

std::string
canonical(const char *ddl)
{
	char out[512];

	return remedy::index_advice::write_canonical(ddl, out, sizeof(out)) ? out : "does not fit";
}

} // namespace

TEST(name_uniqueness_and_storage_are_left_out)
{
	CHECK(canonical("CREATE INDEX ON t (a)") == "btree:a");
	CHECK(canonical("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"on\" ON ONLY public.\"T (x)\" USING btree (a, b) "
					"WITH (fillfactor='90', deduplicate_items=off) TABLESPACE fast") == "btree:a,b");
	CHECK(canonical("create index i on s.t using gin (words)") == "gin:words");
}

TEST(what_an_index_is_good_for_is_kept)
{
	CHECK(canonical(
			  "CREATE INDEX ON t (a DESC, b ASC NULLS FIRST) INCLUDE (c, d) WITH (fillfactor=70) WHERE (e IS NULL)") ==
		  "btree:a desc,b nulls first include c,d where e is null");
	CHECK(canonical("CREATE INDEX ON t (a, b)") != canonical("CREATE INDEX ON t (b, a)"));
	CHECK(canonical("CREATE INDEX ON t (a, b)") != canonical("CREATE INDEX ON t (a) INCLUDE (b)"));
	CHECK(canonical("CREATE INDEX ON t (a text_pattern_ops)") != canonical("CREATE INDEX ON t (a)"));
	CHECK(canonical("CREATE INDEX ON t (a) WHERE b = 'X'") != canonical("CREATE INDEX ON t (a) WHERE b = 'x'"));
	CHECK(canonical("CREATE INDEX ON t (\"A\")") != canonical("CREATE INDEX ON t (\"a\")"));
	CHECK(canonical("CREATE INDEX ON t USING hash (a)") != canonical("CREATE INDEX ON t (a)"));
}

TEST(parentheses_and_blanks_do_not_matter)
{
	CHECK(canonical("CREATE INDEX ON t (lower(b)) WHERE c='x y'") ==
		  canonical("CREATE INDEX i ON public.t USING btree ( (lower( b )) )  WHERE ((c = 'x y'))"));
	CHECK(canonical("CREATE INDEX ON t (((data ->> 'k')))") == "btree:data->>'k'");
}

TEST(quotes_may_hold_anything)
{
	CHECK(canonical("CREATE INDEX \"a \"\" on ( \" ON \"using\" (\"with\", \"a\"\"(b\") WHERE c = 'it''s ) with (' OR "
					"c = E'\\'(' OR d") == "btree:\"with\",\"a\"\"(b\"where c='it''s ) with ('or c=E'\\'('or d");
	CHECK(canonical("CREATE INDEX ON t (a) WHERE b = 'not ended") == "btree:a where b='not ended");
	CHECK(canonical("") == ":" && canonical("CREATE INDEX ON t (a) WITH (x") == "btree:a");
}

TEST(constants_can_be_taken_out)
{
	char one[] =
		"CREATE INDEX  ON \"t'1\" USING btree (a1, ((data ->> 'key 1''s'::text))) WHERE ((b = E'\\'x') AND c>12.5) ";
	char two[] = "CREATE INDEX ON t (a) WHERE b = 'not ended";
	char three[] = "";

	remedy::index_advice::mask_constants(one);
	CHECK(std::string(one) ==
		  "CREATE INDEX  ON \"t'1\" USING btree (a1, ((data ->> ?::text))) WHERE ((b = ?) AND c>?.?) ");
	remedy::index_advice::mask_constants(two);
	CHECK(std::string(two) == "CREATE INDEX ON t (a) WHERE b = ?");
	remedy::index_advice::mask_constants(three);
	CHECK(three[0] == '\0');
}

TEST(a_form_is_a_number)
{
	using remedy::index_advice::form_of;

	CHECK(form_of("CREATE INDEX i ON t (a)") == form_of("CREATE INDEX ON t USING btree (a)"));
	CHECK(form_of("CREATE INDEX ON t (a)") != form_of("CREATE INDEX ON t (b)"));
	CHECK(form_of(("CREATE INDEX ON t (" + std::string(3000, 'a') + ")").c_str()) == 0);
}

TEST(what_is_too_long_is_refused)
{
	char out[8];

	CHECK(remedy::index_advice::write_canonical("CREATE INDEX ON t (a)", out, 8) && std::string(out) == "btree:a");
	CHECK(!remedy::index_advice::write_canonical("CREATE INDEX ON t (ab)", out, 8) && out[0] == '\0');
}
