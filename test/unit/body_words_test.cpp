// sources: src/json_columns/body_words.cpp
#include "check.hpp"
#include "json_columns/body_words.hpp"

using namespace remedy::json_columns;

namespace {

Signs
signs_of(const char *body)
{
	return read_signs(body, "events", "doc");
}

} // namespace

TEST(whole_words_are_names)
{
	CHECK(signs_of("SELECT Doc FROM EVENTS").column);
	CHECK(signs_of("SELECT Doc FROM EVENTS").table);
	CHECK(signs_of("x := r.doc->>'a'").column);
	CHECK(!signs_of("SELECT document, my_doc, doc1, doc$ FROM events_old").column);
	CHECK(!signs_of("SELECT document FROM events_old, old_events").table);
	CHECK(!signs_of("SELECT 1 -- doc\n/* events */").column);
	CHECK(!signs_of("SELECT 1 -- doc\n/* events */").table);
	CHECK(signs_of("EXECUTE 'SELECT doc FROM events'").table);
	CHECK(signs_of("SELECT \"doc\"").column);
	CHECK(!signs_of("SELECT \"Doc\"").column);
	CHECK(read_signs("SELECT \"Doc\"", "events", "Doc").column);
}

TEST(inserts_without_a_list)
{
	CHECK(signs_of("INSERT INTO events VALUES (1)").insert);
	CHECK(signs_of("insert into public.events select 1").insert);
	CHECK(signs_of("INSERT INTO events (SELECT 1)").insert);
	CHECK(signs_of("INSERT INTO events AS e SELECT 1").insert);
	CHECK(signs_of("INSERT INTO events.events DEFAULT VALUES").insert);
	CHECK(!signs_of("INSERT INTO events (id) VALUES (1)").insert);
	CHECK(!signs_of("INSERT INTO public.\"events\" AS e (id) VALUES (1)").insert);
	CHECK(!signs_of("INSERT INTO log SELECT * FROM events").insert);
	CHECK(!signs_of("SELECT id INTO events VALUES").insert);
	CHECK(signs_of("COPY events FROM stdin").copy);
	CHECK(!signs_of("COPY events (id) FROM stdin").copy);
	CHECK(!signs_of("COPY (SELECT id FROM events) TO stdout").copy);
}

TEST(whole_rows)
{
	CHECK(signs_of("SELECT * FROM events").star);
	CHECK(signs_of("SELECT e.* FROM events e").star);
	CHECK(!signs_of("SELECT count(*), a * b FROM events").star);
	CHECK(signs_of("INSERT INTO log SELECT NEW.*").row);
	CHECK(signs_of("x := row_to_json(NEW);").row);
	CHECK(!signs_of("NEW.updated_at := now(); RETURN NEW;").row);
}

TEST(what_is_of_json)
{
	CHECK(signs_of("x := json_array_length(doc)").function == "json_array_length");
	CHECK(signs_of("x := jsonb_array_length(doc)").function.empty());
	CHECK(signs_of("DECLARE d json;").declares);
	CHECK(signs_of("x::json").declares);
	CHECK(!signs_of("x::jsonb").declares);
	CHECK(signs_of("WHERE doc::text LIKE 'a'").text);
	CHECK(signs_of("md5(doc::text)").text);
	CHECK(!signs_of("WHERE doc->>'text' = 'a'").text);
}
