// Many sessions of mixed applications, played to the N+1 rule; usage: simulator [STATEMENTS]. See test/bench/simulator.
//
// Forty applications of 24 tables each, with twelve statements for each table; 64 sessions, each of one application,
// take turns by scenes: a page, a transaction, a job, a burst of requests. Each scene knows what is to be found in it.
// In each application the pages of six tables load lazily, always; none other does.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "../unit/rule.hpp"

using namespace rule;

namespace {

constexpr unsigned application_count = 40;
constexpr unsigned table_count = 24;
constexpr unsigned lazy_tables = 6;
constexpr unsigned session_count = 64;
constexpr Nanoseconds millisecond = 1'000'000;

enum Use : unsigned
{
	list,
	by_id,
	by_owner,
	count_by_owner,
	page,
	batch,
	insert,
	load, // an insert with a name
	update,
	job, // SKIP LOCKED
	by_token,
	insert_many,
	use_count
};

// Column 1 is the primary key, 2 the owner in the next table, 3 a token.
Tie
tie(Column key, Column output)
{
	const auto owner_of = [](Column from, Column to) {
		const unsigned application = (from.relation - 1) / table_count, table = (from.relation - 1) % table_count;
		return from.number == 2 && to.number == 1 &&
			   to.relation == application * table_count + (table + 1) % table_count + 1;
	};
	if (key == output)
		return Tie::same_column;
	return owner_of(key, output) || owner_of(output, key) ? Tie::foreign_key : Tie::none;
}

Statement
make(unsigned table, Use use)
{
	Statement statement = {(std::uint64_t{table} * use_count + use + 1) * 0x9e3779b97f4a7c15u, table + 1};
	const auto column = [&](int number) { return Column{table + 1, static_cast<std::int16_t>(number)}; };
	const bool reads = use <= batch || use == job || use == by_token;

	statement.command = reads ? Command::select : use == update ? Command::update : Command::insert;
	statement.one_row = use == insert || use == load;
	statement.named = use == load;
	statement.never_repeated = use == job;
	if (use == by_id || use == update || use == by_owner || use == count_by_owner || use == page || use == by_token)
	{
		statement.key_count = 1;
		statement.keys[0] = column(use == by_id || use == update ? 1 : use == by_token ? 3 : 2);
		statement.unique_keys = use == by_id || use == update || use == by_token;
	}
	if (reads && use != count_by_owner)
	{
		statement.output_count = 2;
		statement.outputs[0] = column(1);
		statement.outputs[1] = column(2);
	}
	return statement;
}

class Random
{
public:
	unsigned below(unsigned limit)
	{
		state_ ^= state_ << 13;
		state_ ^= state_ >> 7;
		state_ ^= state_ << 17;
		return static_cast<unsigned>((state_ >> 32) * limit >> 32);
	}

	unsigned between(unsigned least, unsigned most) { return least + below(most - least + 1); }

	// Mostly small, sometimes large.
	unsigned size(unsigned least, unsigned most)
	{
		const double part = below(1'000'000) / 1e6;
		return least + static_cast<unsigned>((most - least) * part * part * part * part);
	}

private:
	std::uint64_t state_ = 0x2545f4914f6cdd1d;
};

struct Expected
{
	const Statement *statement;
	std::uint64_t repeats;
};

struct Tally
{
	std::uint64_t scenes, statements, planted, found, exact, bulk, false_likely, false_possible;
};

ValueHash
hash_of(std::uint64_t value)
{
	return in_column(value + 1, 9);
}

class Session
{
public:
	Session(unsigned application, Random &random, std::map<std::string, Tally> &tallies, bool playing)
		: application_(application), random_(random), tallies_(tallies), playing_(playing)
	{
		detector->tie_ = tie;
		for (unsigned table = 0; table < table_count; ++table)
		{
			rows_[table] = 500u << application * table % 9;
			for (unsigned use = 0; use < use_count; ++use)
				statements_[table][use] = make(application * table_count + table, static_cast<Use>(use));
		}
	}

	// The scene's name, and what it is to be told about; statements follow.
	void scene(const char *name)
	{
		before_ = std::move(now_);
		now_ = {name, {}, 0};
		first_ = true;
	}

	void expect(unsigned table, Use use, std::uint64_t repeats)
	{
		if (repeats > 0)
			now_.expected.push_back({&statements_[table][use], repeats});
	}

	unsigned id(unsigned table) { return random_.below(rows_[table]); }
	void round_trip() { detector->pause(random_.between(100, 1500) * 1000); }
	void think() { detector->pause(random_.between(80, 3000) * millisecond); }
	void begin() { detector->begin(); }
	void commit() { detector->commit(); }

	// With so many rows, of which returned() are the keys.
	void run(unsigned table, Use use, unsigned key = 0, unsigned value = 0, unsigned rows = 1)
	{
		const Statement &statement = statements_[table][use];
		Run run;
		run.keys[0] = hash_of(key);
		run.values = in_column(hash_of(key), value);
		run.execution = 50'000;
		if (statement.output_count > 0)
			fill(table, use, key, rows, run);
		++statements;
		++now_.statements;
		if (playing_)
			detector->run(statement, run, [this](const Unit &unit) { found_.push_back(unit); });
		if (first_)
			settle(before_);
		first_ = false;
	}

	void finish()
	{
		detector->finish([this](const Unit &unit) { found_.push_back(unit); });
		settle(now_);
	}

	unsigned returned_id(unsigned row) const { return ids_[row]; }
	unsigned returned_owner(unsigned row) const { return owners_[row]; }
	Random &random() { return random_; }

	std::unique_ptr<Detector> detector = std::make_unique<Detector>();
	std::uint64_t statements = 0;

private:
	static constexpr unsigned most_rows = 256;

	struct Scene
	{
		const char *name;
		std::vector<Expected> expected;
		std::uint64_t statements;
	};

	void fill(unsigned table, Use use, unsigned key, unsigned rows, Run &run)
	{
		const unsigned owner_table = (table + 1) % table_count;
		const unsigned first = id(table), first_owner = id(owner_table);
		run.rows = std::min(rows, most_rows);
		run.output = output_;
		for (unsigned row = 0; row < run.rows; ++row)
		{
			ids_[row] = use == by_id ? key : (first + row * 3) % rows_[table];
			owners_[row] = use == by_owner ? key : (first_owner + row * 7) % rows_[owner_table];
			output_[2 * row] = hash_of(ids_[row]);
			output_[2 * row + 1] = hash_of(owners_[row]);
		}
	}

	// Compares what was found with what was planted.
	void settle(const Scene &scene)
	{
		if (scene.name == nullptr)
			return;
		Tally &tally = tallies_[scene.name];
		++tally.scenes;
		tally.statements += scene.statements;
		tally.planted += scene.expected.size();
		for (const Expected &expected : scene.expected)
		{
			std::uint64_t repeats = 0;
			for (const Unit &unit : found_)
				repeats += unit.fingerprint == expected.statement->fingerprint ? unit.repeats : 0;
			tally.found += repeats > 0;
			tally.exact += repeats == expected.repeats;
		}
		for (const Unit &unit : found_)
		{
			const bool planted =
				std::any_of(scene.expected.begin(), scene.expected.end(), [&](const Expected &expected) {
					return expected.statement->fingerprint == unit.fingerprint;
				});
			tally.bulk += unit.bulk;
			if (!planted && !unit.bulk)
				++(unit.kind == LoopKind::lookup ? tally.false_possible : tally.false_likely);
		}
		found_.clear();
	}

	unsigned application_;
	Random &random_;
	std::map<std::string, Tally> &tallies_;
	bool playing_;
	bool first_ = false;
	Scene before_ = {};
	Scene now_ = {};
	std::vector<Unit> found_;
	unsigned rows_[table_count];
	Statement statements_[table_count][use_count];
	unsigned ids_[most_rows];
	unsigned owners_[most_rows];
	ValueHash output_[2 * most_rows];
};

// A table whose pages load well, and one of those that do not; never the last or the first.
unsigned
eager_table(Session &session)
{
	return session.random().between(lazy_tables + 2, table_count - 2);
}
unsigned
lazy_table(Session &session)
{
	return session.random().between(1, lazy_tables);
}

bool
maybe_begin(Session &session)
{
	const bool in_block = session.random().below(2) == 0;
	if (in_block)
		session.begin();
	return in_block;
}

// What is healthy.

void
page_with_joins(Session &session)
{
	session.scene("page, joined or batched");
	const bool in_block = maybe_begin(session);
	const unsigned table = eager_table(session);
	session.run(0, by_token, session.id(0));
	session.round_trip();
	session.run(table, list, 0, 0, session.random().between(1, 50));
	for (unsigned parts = session.random().below(6); parts > 0; --parts)
	{
		session.round_trip();
		session.run(eager_table(session), parts % 2 == 0 ? batch : by_owner, parts, 0, 10);
	}
	if (in_block)
		session.commit();
	session.think();
}

void
page_of_one(Session &session)
{
	session.scene("page of one row");
	const bool in_block = maybe_begin(session);
	const unsigned table = eager_table(session), key = session.id(table);
	session.run(table, by_id, key);
	session.round_trip();
	session.run(table - 1, by_owner, key, 0, session.random().between(0, 20));
	session.round_trip();
	session.run(table - 1, count_by_owner, key);
	session.round_trip();
	session.run(table + 1, by_id, session.id(table + 1));
	if (in_block)
		session.commit();
	session.think();
}

void
pager(Session &session)
{
	session.scene("pager");
	const unsigned table = eager_table(session), key = session.id(table + 1);
	for (unsigned offset = session.random().between(5, 40); offset > 0; --offset)
	{
		session.run(table, page, key, offset, 20);
		session.round_trip();
	}
	session.think();
}

void
queue_worker(Session &session)
{
	session.scene("queue worker");
	const unsigned table = eager_table(session);
	for (unsigned jobs = session.random().between(5, 100); jobs > 0; --jobs)
	{
		session.begin();
		session.run(table, job);
		session.round_trip();
		session.run(table + 1, by_id, session.returned_owner(0));
		session.round_trip();
		session.run(table, update, session.returned_id(0));
		session.commit();
		session.detector->pause(session.random().between(1, 20) * millisecond);
	}
	session.think();
}

void
poller(Session &session)
{
	session.scene("poller, heartbeat");
	const unsigned table = eager_table(session), key = session.id(table);
	const bool writes = session.random().below(2) == 0;
	for (unsigned times = session.random().between(20, 200); times > 0; --times)
	{
		session.run(table, writes ? update : by_id, key);
		session.detector->pause(session.random().between(30, 2000) * millisecond);
	}
	session.think();
}

void
import(Session &session)
{
	session.scene("import, prepared INSERT");
	const unsigned table = eager_table(session);
	session.begin();
	for (unsigned rows = session.random().size(100, 5000); rows > 0; --rows)
	{
		session.run(table, load);
		session.round_trip();
	}
	session.commit();
	session.think();
}

void
import_in_batches(Session &session)
{
	session.scene("import, many rows each");
	const unsigned table = eager_table(session);
	for (unsigned rows = session.random().between(10, 200); rows > 0; --rows)
	{
		session.run(table, insert_many);
		session.round_trip();
	}
	session.think();
}

void
transfers(Session &session)
{
	session.scene("transfers back to back");
	const unsigned table = eager_table(session);
	for (unsigned times = session.random().between(10, 200); times > 0; --times)
	{
		session.begin();
		session.run(table, by_id, session.id(table));
		session.run(table, update, session.id(table));
		session.round_trip();
		session.run(table + 1, update, session.id(table + 1));
		session.run(table - 1, insert);
		session.commit();
		session.detector->pause(session.random().between(0, 3) * millisecond);
	}
	session.think();
}

// Requests of many clients, without a pause in between; each is one transaction, or none.
void
pooled_requests(Session &session, bool in_blocks)
{
	session.scene(in_blocks ? "pooled requests, BEGIN" : "pooled requests, autocommit");
	for (unsigned requests = session.random().between(10, 200); requests > 0; --requests)
	{
		const unsigned table = eager_table(session), key = session.id(table);
		if (in_blocks)
			session.begin();
		session.run(0, by_token, session.id(0));
		session.round_trip();
		session.run(table, by_id, key);
		session.round_trip();
		if (requests % 3 == 0)
			session.run(table - 1, by_owner, key, 0, 10);
		if (requests % 5 == 0)
			session.run(eager_table(session), list, 0, 0, 20);
		if (requests % 7 == 0)
			session.run(table, update, key);
		if (in_blocks)
			session.commit();
		session.detector->pause(session.random().between(0, 8) * millisecond);
	}
	session.think();
}

// The same, where clients look at a list and then at one of its rows or two.
void
pooled_browsing(Session &session)
{
	session.scene("pooled browsing, autocommit");
	for (unsigned requests = session.random().between(10, 100); requests > 0; --requests)
	{
		const unsigned table = eager_table(session);
		session.run(table, list, 0, 0, 20);
		const unsigned keys[] = {session.returned_id(session.random().below(20)), session.returned_id(0)};
		for (unsigned i = session.random().below(3); i > 0; --i)
		{
			session.detector->pause(session.random().between(1, 8) * millisecond);
			session.run(table, by_id, keys[i - 1]);
		}
		session.detector->pause(session.random().between(0, 8) * millisecond);
	}
	session.think();
}

// A cache in front of one table asks for what it misses: the same stream as a loop of look-ups.
void
key_value_reads(Session &session)
{
	session.scene("key-value reads on a pool");
	const unsigned table = eager_table(session);
	for (unsigned times = session.random().between(20, 300); times > 0; --times)
	{
		session.run(table, by_id, session.id(table));
		session.detector->pause(session.random().between(0, 60) * millisecond);
	}
	session.think();
}

// What is not.

void
lazy_page(Session &session)
{
	static constexpr const char *names[] = {"N+1, N:1", "N+1, 1:N", "N+1, count"};
	const unsigned which = session.random().below(3), table = lazy_table(session);
	session.scene(names[which]);
	const bool in_block = maybe_begin(session);
	const unsigned rows = session.random().size(5, 200);
	session.run(table, list, 0, 0, rows);
	std::vector<unsigned> keys;
	for (unsigned row = 0; row < rows; ++row)
		keys.push_back(which == 0 ? session.returned_owner(row) : session.returned_id(row));
	for (const unsigned key : keys)
	{
		session.round_trip();
		if (which == 0)
			session.run(table + 1, by_id, key);
		else
			session.run(table - 1, which == 1 ? by_owner : count_by_owner, key, 0, 5);
	}
	session.expect(which == 0 ? table + 1 : table - 1,
				   which == 0   ? by_id
				   : which == 1 ? by_owner
								: count_by_owner,
				   rows);
	if (in_block)
		session.commit();
	session.think();
}

void
nested_page(Session &session)
{
	session.scene("N+1, nested");
	const bool in_block = maybe_begin(session);
	const unsigned rows = session.random().between(5, 20), inner = session.random().between(2, 9);
	session.run(3, list, 0, 0, rows);
	std::vector<unsigned> outer_keys, inner_keys;
	for (unsigned row = 0; row < rows; ++row)
		outer_keys.push_back(session.returned_id(row));
	for (const unsigned key : outer_keys)
	{
		session.round_trip();
		session.run(2, by_owner, key, 0, inner);
		inner_keys.clear();
		for (unsigned row = 0; row < inner; ++row)
			inner_keys.push_back(session.returned_id(row));
		for (const unsigned inner_key : inner_keys)
		{
			session.round_trip();
			session.run(1, by_owner, inner_key, 0, 3);
		}
	}
	session.expect(2, by_owner, rows);
	session.expect(1, by_owner, std::uint64_t{rows} * inner);
	if (in_block)
		session.commit();
	session.think();
}

void
lookups(Session &session)
{
	session.scene("look-ups, no parent");
	const unsigned table = lazy_table(session), count = session.random().size(10, 500);
	const bool in_block = maybe_begin(session);
	for (unsigned i = 0, first = session.id(table); i < count; ++i)
	{
		session.run(table, by_id, first + i);
		session.round_trip();
	}
	session.expect(table, by_id, count);
	if (in_block)
		session.commit();
	session.think();
}

void
duplicates(Session &session)
{
	session.scene("duplicates");
	const unsigned table = lazy_table(session), count = session.random().size(10, 100), key = session.id(table + 1);
	session.begin();
	for (unsigned i = 0; i < count; ++i)
	{
		session.run(table, by_owner, key, 1, 3);
		session.round_trip();
		if (i % 3 == 0)
			session.run(eager_table(session), list, 0, 0, 10);
	}
	session.expect(table, by_owner, count);
	session.commit();
	session.think();
}

void
writes(Session &session, bool one_transaction)
{
	session.scene(one_transaction ? "writes, one transaction" : "writes, a transaction each");
	const unsigned table = lazy_table(session), count = session.random().size(10, 500);
	const Use use = session.random().below(2) == 0 ? insert : update;
	if (one_transaction)
		session.begin();
	for (unsigned i = 0, first = session.id(table); i < count; ++i)
	{
		if (!one_transaction)
			session.begin();
		session.run(table, use, first + i);
		session.round_trip();
		if (one_transaction)
			session.run(eager_table(session), list, 0, 0, 5); // something else for each
		else
			session.commit();
	}
	session.expect(table, use, count);
	session.commit();
	session.think();
}

void
play_scene(Session &session)
{
	const unsigned which = session.random().below(1000);
	if (which < 340)
		page_with_joins(session);
	else if (which < 620)
		page_of_one(session);
	else if (which < 660)
		pager(session);
	else if (which < 700)
		queue_worker(session);
	else if (which < 720)
		poller(session);
	else if (which < 724)
		import(session);
	else if (which < 734)
		import_in_batches(session);
	else if (which < 764)
		transfers(session);
	else if (which < 804)
		pooled_requests(session, true);
	else if (which < 824)
		pooled_requests(session, false);
	else if (which < 834)
		pooled_browsing(session);
	else if (which < 840)
		key_value_reads(session);
	else if (which < 940)
		lazy_page(session);
	else if (which < 960)
		nested_page(session);
	else if (which < 970)
		lookups(session);
	else if (which < 980)
		duplicates(session);
	else
		writes(session, which < 990);
}

long
peak_memory()
{
	rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

// Seconds of this process alone.
double
simulate(std::uint64_t statements, bool playing, std::map<std::string, Tally> &tallies, long &memory_after_a_tenth)
{
	Random random;
	std::vector<std::unique_ptr<Session>> sessions;
	std::uint64_t played = 0;
	const std::clock_t began = std::clock();

	for (unsigned i = 0; i < session_count; ++i)
		sessions.push_back(std::make_unique<Session>(i % application_count, random, tallies, playing));
	while (played < statements)
		for (const auto &session : sessions)
		{
			const std::uint64_t before = session->statements;
			play_scene(*session);
			played += session->statements - before;
			if (memory_after_a_tenth == 0 && played >= statements / 10)
				memory_after_a_tenth = peak_memory();
		}
	for (const auto &session : sessions)
		session->finish();
	return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

} // namespace

int
main(int argument_count, char **arguments)
{
	const std::uint64_t statements = argument_count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 100'000'000;
	std::map<std::string, Tally> tallies, unused;
	long memory = 0;
	const double with = simulate(statements, true, tallies, memory);
	const long memory_at_end = peak_memory();
	const double without = simulate(statements / 10, false, unused, memory) * 10;
	Tally all = {};

	std::printf("%-28s %9s %11s %8s %8s %8s %7s %7s %7s\n", "scene", "times", "statements", "planted", "found", "exact",
				"bulk", "likely*", "possib*");
	const auto print = [](const char *name, const Tally &tally) {
		std::printf("%-28s %9llu %11llu %8llu %8llu %8llu %7llu %7llu %7llu\n", name,
					static_cast<unsigned long long>(tally.scenes), static_cast<unsigned long long>(tally.statements),
					static_cast<unsigned long long>(tally.planted), static_cast<unsigned long long>(tally.found),
					static_cast<unsigned long long>(tally.exact), static_cast<unsigned long long>(tally.bulk),
					static_cast<unsigned long long>(tally.false_likely),
					static_cast<unsigned long long>(tally.false_possible));
	};
	for (const auto &[name, tally] : tallies)
	{
		print(name.c_str(), tally);
		all.scenes += tally.scenes;
		all.statements += tally.statements;
		all.planted += tally.planted;
		all.found += tally.found;
		all.exact += tally.exact;
		all.bulk += tally.bulk;
		all.false_likely += tally.false_likely;
		all.false_possible += tally.false_possible;
	}
	print("all", all);
	std::printf("* found where nothing was planted\n%u shapes, %u sessions of %zu bytes (of which the rule %zu)\n",
				application_count * table_count * use_count, session_count, sizeof(Detector),
				sizeof(FanOut) + sizeof(Loops) + sizeof(ShapeTable));
	std::printf("peak memory %ld kB after a tenth, %ld kB at the end\n", memory, memory_at_end);
	std::printf("%.0f ns of CPU a statement, %.0f of which to make it up\n", with / statements * 1e9,
				without / statements * 1e9);
	const bool right = all.found * 1000 >= all.planted * 999 && all.exact * 100 >= all.planted * 99 &&
					   all.false_likely * 1000 <= all.found;
	return right && memory_at_end <= memory + memory / 20 ? 0 : 1;
}
