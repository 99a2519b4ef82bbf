// Stories for tests of the rule: statements of a small schema, and a session that plays them to FanOut in the
// order of steps that the detector takes.

#pragma once

#include "check.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "repetition/fan_out.hpp"

namespace stories {

using namespace remedy::repetition;
using remedy::Nanoseconds;

constexpr Nanoseconds millisecond = 1'000'000;
constexpr Nanoseconds second = 1000 * millisecond;

// The schema: authors have books, and any number of other relations; books have chapters, a country and a tenant;
// shelves stand in shelves.
constexpr Column author_id = {1, 1};
constexpr Column book_id = {2, 1};
constexpr Column book_author = {2, 2};
constexpr Column book_country = {2, 3};
constexpr Column book_tenant = {2, 4};
constexpr Column chapter_id = {3, 1};
constexpr Column chapter_book = {3, 2};
constexpr Column chapter_tenant = {3, 4};
constexpr Column country_code = {4, 1};
constexpr Column shelf_id = {5, 1};
constexpr Column shelf_parent = {5, 2};
constexpr Column setting_id = {6, 1};

constexpr std::uint32_t first_relation_of_authors = 100;

struct ForeignKey
{
	Column from;
	Column to;
};

constexpr ForeignKey foreign_keys[] = {
	{book_author, author_id},      {chapter_book, book_id},  {book_country, country_code},
	{chapter_tenant, book_tenant}, {shelf_parent, shelf_id},
};

inline bool
references(Column from, Column to)
{
	if (from.relation >= first_relation_of_authors)
		return from.number == 2 && to == author_id;
	return std::any_of(std::begin(foreign_keys), std::end(foreign_keys),
					   [&](const ForeignKey &key) { return key.from == from && key.to == to; });
}

// Of no table; only values too long for a coincidence are noted.
constexpr Column expression = {0, 0};

inline Tie
tie_in_schema(Column key, Column output)
{
	if (key == output)
		return Tie::same_column;
	if (output == expression)
		return Tie::by_value;
	if (references(key, output) || references(output, key))
		return Tie::foreign_key;
	return references(key, author_id) && references(output, author_id) ? Tie::sibling : Tie::none;
}

struct Statement
{
	std::uint64_t fingerprint;
	std::vector<Column> keys;
	std::vector<Column> outputs; // none: it is not kept as a parent
	std::uint8_t unique_keys = 0;
};

inline const Statement author_list = {1, {}, {author_id}};
inline const Statement other_author_list = {2, {}, {author_id}};
inline const Statement author_by_id = {3, {author_id}, {author_id}};
inline const Statement book_list = {4, {}, {book_id, book_author}};
inline const Statement books_of = {5, {book_author}, {book_id, book_author}};
inline const Statement book_count_of = {6, {book_author}, {}};
inline const Statement book_authors = {7, {}, {book_author}};
inline const Statement chapters_of = {8, {chapter_book}, {chapter_id}};
inline const Statement country_of_book = {9, {country_code}, {country_code}};
inline const Statement books_and_countries_of = {10, {book_author}, {book_id, book_country}};
inline const Statement shelf_by_id = {11, {shelf_id}, {shelf_id}};
inline const Statement shelf_and_parent_by_id = {17, {shelf_id}, {shelf_id, shelf_parent}, 1};
inline const Statement shelves_in = {12, {shelf_parent}, {shelf_id, shelf_parent}};
inline const Statement tenant_books = {13, {}, {book_tenant, book_id}};
inline const Statement tenant_chapters = {14, {chapter_tenant, chapter_book}, {chapter_id}};
inline const Statement chapters_of_tenant = {15, {chapter_book, chapter_tenant}, {chapter_id}};
inline const Statement shelf_list = {18, {}, {shelf_id}};
inline const Statement settings = {16, {}, {setting_id}};

// The number-th other thing that authors have.
inline Statement
relation_of_authors(unsigned number)
{
	const std::uint32_t table = first_relation_of_authors + number;
	return {1000 + number, {{table, 2}}, {{table, 1}}};
}

// The number-th statement that has nothing to do with anything.
inline Statement
unrelated(unsigned number)
{
	return {2000 + number, {}, {{50 + number, 1}}};
}

using Row = std::vector<unsigned>;
using Rows = std::vector<Row>;

inline Rows
numbers(unsigned first, unsigned last)
{
	Rows rows;
	for (unsigned number = first; number <= last; ++number)
		rows.push_back({number});
	return rows;
}

inline Rows
numbers_twice(unsigned first, unsigned last)
{
	Rows rows;
	for (unsigned number = first; number <= last; ++number)
		rows.push_back({number, number});
	return rows;
}

inline ValueHash
hash_of(unsigned value)
{
	ValueHash mixed = (value + 1) * 0x9e3779b97f4a7c15u;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	return mixed ^ mixed >> 31;
}

struct Finding
{
	std::uint32_t unit;
	std::uint64_t child;
	std::uint64_t parent;
	Column key;
	unsigned repeats;
};

// Plays the statements of a session to the rule, in the order of steps that the detector takes: a statement enters
// its unit, is looked up, is held as a parent, returns its rows, and is noted and released when it has ended.
class Session
{
public:
	explicit Session(unsigned threshold = 5) : limits_{threshold, 50 * millisecond, second} {}

	void run(const Statement &statement, const Row &keys, const Rows &rows)
	{
		const Moment moment = {clock_ += waiting_, waiting_, in_block_, transaction_, watch_};
		const Shape shape = shape_of(statement);
		ValueHash values[keys_per_shape] = {};
		Execution execution = {};

		fan_out->enter(moment, limits_);
		std::transform(keys.begin(), keys.end(), values, hash_of);
		if (!keys.empty() && fan_out->any_parent(moment, limits_))
			execution = fan_out->look_up(shape, values, moment, limits_, tie_in_schema);
		Parent *const held = statement.outputs.empty() ? nullptr : hold(statement, rows);
		clock_ += millisecond / 10;
		const bool linked = execution.fingerprint != 0 && note(execution);
		if (held != nullptr)
			fan_out->release(*held, clock_, rows.size(), true);
		if (linked)
			decide();
		waiting_ = millisecond / 10;
	}

	void list(const Statement &statement, const Rows &rows) { run(statement, {}, rows); }
	void ask(const Statement &statement, unsigned key, const Rows &rows = {}) { run(statement, {key}, rows); }

	// Pauses so long before the next statement.
	void pause(Nanoseconds duration) { waiting_ = duration; }

	void begin() { in_block_ = ++transaction_ > 0; }
	void commit() { in_block_ = false; }
	void watch() { ++watch_; }
	void stop_watching() { watch_ = 0; }

	std::size_t findings() const { return findings_.size(); }

	// How often the child was repeated for the rows of this parent, in the unit where that was most; 0: not found.
	unsigned repeats(const Statement &child, const Statement &parent) const
	{
		unsigned most = 0;
		for (const Finding &finding : findings_)
			if (finding.child == child.fingerprint && finding.parent == parent.fingerprint)
				most = std::max(most, finding.repeats);
		return most;
	}

	// Whether this is the one and only finding.
	bool only(unsigned times, const Statement &child, const Statement &parent) const
	{
		return findings_.size() == 1 && repeats(child, parent) == times;
	}

	Column key() const { return findings_.at(0).key; }
	std::uint32_t unit() const { return fan_out->unit(); }

	// The parent's place for a statement that starts now, and returns nothing yet.
	Parent &hold(const Statement &statement)
	{
		return fan_out->hold(statement.fingerprint, {clock_, 0, in_block_, transaction_, watch_}, limits_);
	}

	std::unique_ptr<FanOut> fan_out = std::make_unique<FanOut>();

private:
	static Shape shape_of(const Statement &statement)
	{
		Shape shape = {};
		shape.fingerprint = statement.fingerprint;
		shape.unique_keys = statement.unique_keys;
		for (const Column column : statement.keys)
			shape.keys[shape.key_count++].column = column;
		return shape;
	}

	Parent *hold(const Statement &statement, const Rows &rows)
	{
		Parent &parent = hold(statement);
		if (parent.column_count == 0)
			for (const Column column : statement.outputs)
				parent.columns[parent.column_count++] = column;
		for (const Row &row : rows)
			for (unsigned column = 0; column < parent.column_count; ++column)
				parent.values.insert(in_column(hash_of(row.at(column)), column));
		return &parent;
	}

	bool note(const Execution &execution)
	{
		const Child *const child = fan_out->note(execution, clock_, millisecond / 10, waiting_);
		return child != nullptr;
	}

	void decide()
	{
		for (bool more = true; more;)
		{
			more = false;
			fan_out->each_child([&](Child &child) {
				more |= !child.found && fan_out->decide(child, limits_.threshold) && add(child);
				update(child);
			});
		}
	}

	bool add(const Child &child)
	{
		const Column key = key_column(child.fingerprint, child.key);
		findings_.push_back({child.unit, child.fingerprint, fan_out->parent_of(child).fingerprint, key, 0});
		return true;
	}

	void update(const Child &child)
	{
		const auto is_this = [&](const Finding &finding) {
			return finding.unit == child.unit && finding.child == child.fingerprint;
		};
		const auto last = std::find_if(findings_.rbegin(), findings_.rend(), is_this);
		if (child.found && last != findings_.rend())
			last->repeats = child.repeats();
	}

	static Column key_column(std::uint64_t fingerprint, unsigned key)
	{
		for (const Statement *const known : {&tenant_chapters, &chapters_of_tenant})
			if (known->fingerprint == fingerprint)
				return known->keys.at(key);
		return {};
	}

	Limits limits_;
	Nanoseconds clock_ = 1000 * second;
	Nanoseconds waiting_ = 0;
	bool in_block_ = false;
	std::uint32_t transaction_ = 0;
	std::uint32_t watch_ = 0;
	std::vector<Finding> findings_;
};

// An author's books are ten times its number and more.
inline Rows
books(unsigned author, unsigned count)
{
	Rows rows;
	for (unsigned i = 0; i < count; ++i)
		rows.push_back({author * 10 + i, author});
	return rows;
}

inline void
ask_books_of(Session &session, unsigned first_author, unsigned last_author, unsigned count = 0)
{
	for (unsigned author = first_author; author <= last_author; ++author)
		session.ask(books_of, author, books(author, count));
}

inline void
ask_all(Session &session, const Statement &statement, unsigned first, unsigned last)
{
	for (unsigned key = first; key <= last; ++key)
		session.ask(statement, key);
}

// One shelf in another, so many steps deep; the first step starts at the root's own row.
inline void
walk_down(Session &session, unsigned steps)
{
	session.ask(shelf_by_id, 1, {{1}});
	for (unsigned step = 1; step <= steps; ++step)
		session.ask(shelves_in, step, {{step + 1, step}});
}

} // namespace stories

using namespace stories;
