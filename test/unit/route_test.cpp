// sources: src/observe/route.cpp

#include "check.hpp"

#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "observe/route.hpp"

namespace {

using remedy::observe::longest_route_comment;
using remedy::observe::may_have_route;
using std::string;

const string trace = "traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'";

// The route in a text, or "-".  Text and route lie in memory of exactly their size, so that a sanitizer sees every
// step beside it.
string
route(const string &text, std::size_t capacity = 128)
{
	const std::unique_ptr<char[]> exact(new char[text.size()]), out(new char[capacity]);
	memcpy(exact.get(), text.data(), text.size());
	if (!remedy::observe::route_of(exact.get(), text.size(), out.get(), capacity))
		return "-";
	CHECK(may_have_route(exact.get(), text.size()));
	CHECK(strlen(out.get()) < capacity);
	return out.get();
}

string
traced(const string &text)
{
	const std::unique_ptr<char[]> exact(new char[text.size()]);
	memcpy(exact.get(), text.data(), text.size());
	return string(remedy::observe::trace_of(exact.get(), text.size()));
}

string
commented(const string &pairs)
{
	return "SELECT 1 /*" + pairs + "*/";
}

} // namespace

TEST(what_libraries_send)
{
	// Django by sqlcommenter, once as the driver sends it with parameters, once without.
	CHECK(
		route(
			"INSERT INTO \"polls_question\" (\"question_text\") VALUES ('Wassup?') RETURNING \"polls_question\".\"id\" "
			"/*controller='index',db_driver='django.db.backends.postgresql',framework='django%3A2.2.1',"
			"route='%5Epolls/%24'," +
			trace + ",tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/") == "^polls/$");
	CHECK(traced(commented("action='show'," + trace)) == "5bd66ef5095369c7b0d1f8f4bd33716a");
	CHECK(traced("/*" + trace + "*/ SELECT 1") == "5bd66ef5095369c7b0d1f8f4bd33716a");
	CHECK(traced(commented("action='show'")).empty());
	CHECK(traced(commented("traceparent='00-5bd66ef5'")).empty());
	CHECK(traced("SELECT '" + trace + "'").empty());
	CHECK(route("SELECT 1 /*controller='index',framework='django%%3A2.2.1',route='%%5Epolls/%%24'*/") == "^polls/$");
	// Django by another library, which puts it first.
	CHECK(route("/*action='GET',callsite='shop/pricing.py:118',controller='shop%3Acart',"
				"route='cart/%3Cint%3Apk%3E/'*/ SELECT \"item\".\"id\" FROM \"item\"") == "cart/<int:pk>/");
	// Rails: the library, and its own two formats.
	CHECK(route("SELECT \"posts\".* FROM \"posts\" /*\naction='index',application='SqlcommenterRailsDemo',"
				"controller='posts',\ndb_driver='ActiveRecord::ConnectionAdapters::PostgreSQLAdapter',\n"
				"framework='rails_v6.0.0.rc1',route='/posts',\n" +
				trace + "*/") == "/posts");
	CHECK(route("SELECT 1 /*action='show',application='Shop',controller='orders'*/") == "orders#show");
	CHECK(route("SELECT 1 /*application:Shop,controller:orders,action:show,line:/app/models/order.rb:3:in `all'*/") ==
		  "orders#show");
	CHECK(route("SELECT 1 /*application:Shop,job:NightlyReportJob*/") == "NightlyReportJob");
	// SQLAlchemy, alone and below Flask.
	CHECK(route("SELECT * FROM polls_question /*db_driver='psycopg2',db_framework='sqlalchemy%3A1.3.5'*/") == "-");
	CHECK(route("SELECT * FROM t\n/*controller='c_index',framework='flask%3A1.0.3',route='/index'*/") == "/index");
	// Sequelize below Express, with the colon in its first key.
	CHECK(route("SELECT * from polls_question /*client_timezone:'%2B00%3A00',db_driver='sequelize%3A0.0.1',"
				"route='%5E%2Fpolls%2F%3Aparam',tracestate='brazzaville=t61rcWkgMzE,rondo=00f067aa0ba902b7'*/") ==
		  "^/polls/:param");
	// Go, whose encoder writes a plus for a space.
	CHECK(route("SELECT 1 /*action='net%2Fhttp.HandlerFunc',db_driver='database%2Fsql%3Apgx',framework='gorilla%2Fmux',"
				"route='%2Fpolls%2F%7Bid%7D+edit'*/") == "/polls/{id}+edit");
	// Hibernate below Spring.
	CHECK(route("select tag0_.id as id1_2_ from tag tag0_ where tag0_.name in ($1 , $2) "
				"/*action='CreatePost',controller='ForumController',framework='spring'*/") ==
		  "ForumController#CreatePost");
}

TEST(the_route_comes_before_the_controller_and_the_controller_before_the_job)
{
	CHECK(route(commented("job='j',action='a',controller='c',route='r'")) == "r");
	CHECK(route(commented("job='j',action='a',controller='c'")) == "c#a");
	CHECK(route(commented("job='j',action='a'")) == "j");
	CHECK(route(commented("job='j',controller='c'")) == "j");
	CHECK(route(commented("controller='c'")) == "-");
	CHECK(route(commented("action='a'")) == "-");
	CHECK(route(commented("route='first',route='second'")) == "first");
	CHECK(route(commented("Route='r'")) == "-");
	CHECK(route(commented("routes='r'")) == "-");
	CHECK(route(commented("controller_with_namespace='c',action='a'")) == "-");
}

TEST(other_keys_change_nothing)
{
	const string first = route(commented("route='/a'," + trace));
	CHECK(first == "/a");
	CHECK(route(commented("route='/a',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'")) ==
		  first);
	CHECK(route(commented("baggage='x%20y',route='/a'")) == first);
}

TEST(where_the_comment_may_be)
{
	CHECK(route("SELECT 1 /*route='r'*/;") == "r");
	CHECK(route("SELECT 1 /*route='r'*/ ;\n; \t\r\n") == "r");
	CHECK(route("/*route='r'*/") == "r");
	CHECK(route("/*route='r'*/SELECT 1;") == "r");
	CHECK(route("/*route='first'*/ SELECT 1 /*route='last'*/") == "last");
	CHECK(route("/*route='first'*/ SELECT 1 /* see ticket 17 */") == "first");
	CHECK(route("SELECT 1 /*route='r'*/ FROM t") == "-");
	CHECK(route(" /*route='r'*/ SELECT 1") == "-");
	CHECK(route("SELECT '/*', 2 /*route='r'*/") == "r");
	CHECK(route("") == "-");
	CHECK(route("/*/") == "-");
	CHECK(route("/**/") == "-");
	CHECK(route("*/") == "-");
	CHECK(route("SELECT 2 */") == "-");
	CHECK(route("/*route='r'") == "-");
	CHECK(route("/*+ SeqScan(t) */ SELECT 1") == "-");
}

TEST(a_text_without_comment_is_told_by_four_characters)
{
	const auto may = [](const string &text) { return may_have_route(text.data(), text.size()); };
	CHECK(!may("SELECT 1"));
	CHECK(!may("SELECT 1;"));
	CHECK(!may(""));
	CHECK(!may("*/"));
	CHECK(!may("SELECT 1 / /"));
	CHECK(may("SELECT 1 /*a*/"));
	CHECK(may("SELECT 1 /*a*/;"));
	CHECK(may("SELECT 1 /*a*/ ;"));
	CHECK(may("/*a*/ SELECT 1"));
}

TEST(values_are_decoded)
{
	CHECK(route(commented("route='%2fa%2Fb%20c+d'")) == "/a/b c+d");
	CHECK(route(commented("route='FOO%20\\'BAR\\''")) == "FOO 'BAR'");
	CHECK(route(commented("route='\\'\\''")) == "''");
	CHECK(route(commented("route='a\\b'")) == "a\\b");
	CHECK(route(commented("ro%75te='r'")) == "r");
	CHECK(route(commented("route='100%25'")) == "100%");
	CHECK(route(commented("route='%0a%1F%7f%09x'")) == "????x");
	CHECK(route(commented("route='caf%C3%A9'")) == "caf\xc3\xa9");
	CHECK(route(commented("route='caf\xe9'")) == "caf\xe9");
	// Rails encodes nothing.
	CHECK(route(commented("route:100%")) == "100%");
	CHECK(route(commented("controller:Admin::Users,action:a=b")) == "Admin::Users#a=b");
}

TEST(spaces_around_are_no_part)
{
	CHECK(route(commented(" \n route = 'r' ,\t action : a b , job = 'j' ")) == "r");
	CHECK(route(commented(" controller : c d , action : a ")) == "c d#a");
	CHECK(route(commented("route=' r '")) == " r ");
}

TEST(a_malformed_comment_is_ignored_as_a_whole)
{
	for (const char *bad : {"",
							" ",
							",",
							"route",
							"route=",
							"route=''",
							"route:",
							"route: ",
							"route=r",
							"route='r",
							"route='r\\'",
							"route=r'",
							"route='r'x",
							"route='r''x'",
							"='r'",
							"='j',route='r'",
							"route='r',",
							",route='r'",
							"route='r',,job='j'",
							"route='r' job='j'",
							"route='r',job",
							"route='r',job=''",
							"route='r',job='%'",
							"route='r',job='%4'",
							"route='r',job='%g0'",
							"route='r',job='%0g'",
							"route='r',job='%%'",
							"route='r',job='%00'",
							"route='%'",
							"route='%00'",
							"route='r',%00='j'",
							"route='r',%4='j'",
							"route='r',a,b='c'",
							"route='r','job'='j'",
							"/*route='r'*/",
							"route='r'/*",
							"controller='index,'framework='spring',route='r'"})
	{
		CHECK(route(commented(bad)) == "-" || (std::printf("%s\n", bad), false));
		CHECK(route("/*" + string(bad) + "*/ SELECT 1") == "-" || (std::printf("%s\n", bad), false));
	}
	CHECK(route(commented(string("route='a\0b'", 11))) == "-");
	CHECK(route(commented(string("route:a\0b", 9))) == "-");
}

TEST(a_comment_within_a_comment_is_not_looked_into)
{
	CHECK(route("SELECT 1 /* one /* two */ ,route='r'*/") == "-");
	CHECK(route("SELECT 1 /*route='r'/* two */*/") == "-");
	CHECK(route("SELECT 1 /* one /*route='r'*/*/") == "-");
	CHECK(route("SELECT 1 /*/*a:b*/,route='r'*/") == "-");
	CHECK(route("/* one /* two */ ,route='r'*/ SELECT 1") == "-");
	CHECK(route("/*a:/*b,route='r'*/*/ SELECT 1") == "-");
	CHECK(route("/*/*route='r'*/*/ SELECT 1") == "-");
}

TEST(a_long_comment_is_not_looked_into)
{
	const string frame = "/*route='r',x=''*/";
	const string fits(longest_route_comment - frame.size(), 'x'), too_long = fits + "xxx";
	CHECK(route("SELECT 1 /*route='r',x='" + fits + "'*/") == "r");
	CHECK(route("/*route='r',x='" + fits + "'*/ SELECT 1") == "r");
	CHECK(route("SELECT 1 /*route='r',x='" + too_long + "'*/") == "-");
	CHECK(route("/*route='r',x='" + too_long + "'*/ SELECT 1") == "-");
}

TEST(a_long_route_is_cut_where_a_character_ends)
{
	CHECK(route(commented("route='abcdef'"), 7) == "abcdef");
	CHECK(route(commented("route='abcdef'"), 6) == "abcde");
	CHECK(route(commented("route='abcdef'"), 2) == "a");
	CHECK(route(commented("route='abcdef'"), 1) == "-");
	CHECK(route(commented("controller='abc',action='def'"), 6) == "abc#d");
	CHECK(route(commented("controller='abc',action='def'"), 4) == "abc");

	const string text = commented("route='ab%C3%A9%E2%82%AC%F0%9F%90%98c'"); // ab, two bytes, three, four, c
	const string cuts[] = {"", "a", "ab", "ab", "ab\xc3\xa9", "ab\xc3\xa9", "ab\xc3\xa9", "ab\xc3\xa9\xe2\x82\xac"};
	for (std::size_t length = 1; length < std::size(cuts); ++length)
		CHECK(route(text, length + 1) == cuts[length]);
	for (std::size_t length = 7; length < 11; ++length)
		CHECK(route(text, length + 1) == cuts[7]);
	CHECK(route(text, 12) == "ab\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x98");
	CHECK(route(text, 13) == "ab\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x98"
							 "c");
	// What is cut stays cut, also where a shorter character would fit.
	CHECK(route(commented("route='a%E2%82%ACbc'"), 4) == "a");
	// A continuation that continues nothing takes nothing along.
	CHECK(route(commented("route='ab%80'"), 3) == "ab");
	CHECK(route(commented("route='%80%80%80'"), 3) == "-");
}

TEST(mutations_are_survived)
{
	const string seeds[] = {
		commented("action='%2Fparam*d',controller='index',route='%C3%A9%%24\\'x'," + trace),
		"/*application:Shop,controller:orders,action:show*/ SELECT 1",
		"/*route='a'*/ SELECT 1 /* route = 'b' , job='j' */ ; ",
	};
	const string pieces[] = {"/*", "*/", "'", "\\'", "%", "%%",    "%0",  "%e2%82",
							 ",",  "=",  ":", " ",   ";", "route", "\xe2"};
	std::mt19937 random(7);
	unsigned found = 0;

	for (int i = 0; i < 200'000; ++i)
	{
		string text = seeds[random() % std::size(seeds)];
		for (unsigned changes = random() % 6; changes > 0; --changes)
		{
			const std::size_t place = random() % (text.size() + 1);
			switch (random() % 4)
			{
			case 0:
				text.insert(place, pieces[random() % std::size(pieces)]);
				break;
			case 1:
				text.erase(place, random() % 4);
				break;
			case 2:
				text.insert(place, 1, static_cast<char>(random()));
				break;
			case 3:
				text = text.substr(random() % 2 == 0 ? 0 : place, place);
				break;
			}
		}
		const string result = route(text, 1 + random() % 24);
		found += result != "-";
		for (const char c : result)
			CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
	}
	CHECK(found > 20'000 && found < 180'000);
}
