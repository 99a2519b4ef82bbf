// Stories for tests of loops without a parent: statements of a small schema, and a session that plays them to the
// whole rule. The threshold is five, so a loop is one from ten calls on.

#pragma once

#include "check.hpp"

#include <memory>
#include <vector>

#include "rule.hpp"

namespace stories {

using namespace remedy::repetition;
using remedy::Nanoseconds;
using rule::Statement;
using rule::Unit;

constexpr Nanoseconds millisecond = 1'000'000;
constexpr Nanoseconds burst_gap = 50 * millisecond;

constexpr std::uint32_t users = 1;
constexpr std::uint32_t orders = 2;
constexpr std::uint32_t audits = 3;

inline Statement
on(std::uint64_t fingerprint, std::uint32_t table, Command command, unsigned keys)
{
	Statement statement = {fingerprint, table, command};
	for (unsigned key = 0; key < keys; ++key)
		statement.keys[statement.key_count++] = {table, static_cast<std::int16_t>(key + 1)};
	return statement;
}

inline Statement
unique(Statement statement)
{
	statement.unique_keys = 1;
	return statement;
}

inline Statement
one_row(Statement statement)
{
	statement.one_row = true;
	return statement;
}

inline Statement
named(Statement statement)
{
	statement.named = true;
	return statement;
}

inline const Statement user_by_id = unique(on(1, users, Command::select, 1));
inline const Statement user_by_mail = unique(on(2, users, Command::select, 1));
inline const Statement order_by_id = unique(on(3, orders, Command::select, 1));
inline const Statement orders_of = on(4, orders, Command::select, 1);
inline const Statement order_list = on(5, orders, Command::select, 0);
inline const Statement clock_reading = on(6, 0, Command::select, 1);
inline const Statement order_insert = one_row(on(7, orders, Command::insert, 0));
inline const Statement order_insert_of_many = on(8, orders, Command::insert, 0);
inline const Statement order_update = unique(on(9, orders, Command::update, 1));
inline const Statement order_removal = unique(on(10, orders, Command::remove, 1));
inline const Statement order_update_of_all = on(11, orders, Command::update, 0);
inline const Statement named_insert = named(order_insert);
inline const Statement audit_insert = one_row(on(12, audits, Command::insert, 0));

// The number-th statement of a table of its own that cannot loop, not having a key.
inline Statement
other(unsigned number)
{
	return on(1000 + number, 100 + number, Command::select, 0);
}

class Session
{
public:
	explicit Session(unsigned threshold = 5) { detector->limits_.threshold = threshold; }

	// The values as a whole are those of the key, if they are not given.
	void run(const Statement &statement, unsigned key, unsigned value)
	{
		detector->pause(millisecond / 10);
		rule::Run run;
		for (unsigned i = 0; i < statement.key_count; ++i)
			run.keys[i] = key == 0 ? 0 : in_column(key, i);
		run.values = value == 0 ? 0 : in_column(value, 77);
		detector->run(statement, run, [this](const Unit &unit) { units_.push_back(unit); });
	}

	void run(const Statement &statement, unsigned key = 1) { run(statement, key, key); }

	void run_all(const Statement &statement, unsigned first, unsigned last)
	{
		for (unsigned key = first; key <= last; ++key)
			run(statement, key);
	}

	// So many others, none of which is like another.
	void interrupt(unsigned count)
	{
		for (unsigned i = 0; i < count; ++i)
			run(other(others_++ % 100));
	}

	void pause(Nanoseconds duration) { detector->pause(duration); }
	void begin() { detector->begin(); }
	void commit() { detector->commit(); }
	void roll_back() { detector->roll_back(); }

	// How many findings are of units of work that are over.
	std::size_t over() const { return units_.size(); }

	// What was found in units of work that are over; and, from here on, all are.
	const std::vector<Unit> &findings()
	{
		detector->finish([this](const Unit &unit) { units_.push_back(unit); });
		return units_;
	}

	// Whether these are the units of work in which this was found, and all that was found.
	bool only(const Statement &statement, LoopKind kind, const std::vector<std::uint64_t> &repeats)
	{
		const std::vector<Unit> &found = findings();
		bool same = found.size() == repeats.size();
		for (std::size_t i = 0; same && i < found.size(); ++i)
			same = found[i].fingerprint == statement.fingerprint && found[i].kind == kind &&
				   found[i].repeats == repeats[i];
		return same;
	}

	bool only(const Statement &statement, LoopKind kind, std::uint64_t repeats)
	{
		return only(statement, kind, std::vector<std::uint64_t>{repeats});
	}

	bool nothing() { return findings().empty(); }

	std::unique_ptr<rule::Detector> detector = std::make_unique<rule::Detector>();

private:
	std::vector<Unit> units_;
	unsigned others_ = 0;
};

} // namespace stories

using namespace stories;
