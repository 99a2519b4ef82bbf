// sources: src/repetition/fan_out.cpp

#include "check.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "repetition/fan_out.hpp"

using namespace remedy::repetition;
using remedy::Nanoseconds;

namespace {

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

bool
references(Column from, Column to)
{
	if (from.relation >= first_relation_of_authors)
		return from.number == 2 && to == author_id;
	return std::any_of(std::begin(foreign_keys), std::end(foreign_keys),
					   [&](const ForeignKey &key) { return key.from == from && key.to == to; });
}

Tie
tie_in_schema(Column key, Column output)
{
	if (key == output)
		return Tie::same_column;
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

const Statement author_list = {1, {}, {author_id}};
const Statement other_author_list = {2, {}, {author_id}};
const Statement author_by_id = {3, {author_id}, {author_id}};
const Statement book_list = {4, {}, {book_id, book_author}};
const Statement books_of = {5, {book_author}, {book_id, book_author}};
const Statement book_count_of = {6, {book_author}, {}};
const Statement book_authors = {7, {}, {book_author}};
const Statement chapters_of = {8, {chapter_book}, {chapter_id}};
const Statement country_of_book = {9, {country_code}, {country_code}};
const Statement books_and_countries_of = {10, {book_author}, {book_id, book_country}};
const Statement shelf_by_id = {11, {shelf_id}, {shelf_id}};
const Statement shelf_and_parent_by_id = {17, {shelf_id}, {shelf_id, shelf_parent}, 1};
const Statement shelves_in = {12, {shelf_parent}, {shelf_id, shelf_parent}};
const Statement tenant_books = {13, {}, {book_tenant, book_id}};
const Statement tenant_chapters = {14, {chapter_tenant, chapter_book}, {chapter_id}};
const Statement chapters_of_tenant = {15, {chapter_book, chapter_tenant}, {chapter_id}};
const Statement shelf_list = {18, {}, {shelf_id}};
const Statement settings = {16, {}, {setting_id}};

// The number-th other thing that authors have.
Statement
relation_of_authors(unsigned number)
{
	const std::uint32_t table = first_relation_of_authors + number;
	return {1000 + number, {{table, 2}}, {{table, 1}}};
}

// The number-th statement that has nothing to do with anything.
Statement
unrelated(unsigned number)
{
	return {2000 + number, {}, {{50 + number, 1}}};
}

using Row = std::vector<unsigned>;
using Rows = std::vector<Row>;

Rows
numbers(unsigned first, unsigned last)
{
	Rows rows;
	for (unsigned number = first; number <= last; ++number)
		rows.push_back({number});
	return rows;
}

Rows
numbers_twice(unsigned first, unsigned last)
{
	Rows rows;
	for (unsigned number = first; number <= last; ++number)
		rows.push_back({number, number});
	return rows;
}

ValueHash
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
		Parent &parent = fan_out->hold(statement.fingerprint);
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
Rows
books(unsigned author, unsigned count)
{
	Rows rows;
	for (unsigned i = 0; i < count; ++i)
		rows.push_back({author * 10 + i, author});
	return rows;
}

void
ask_books_of(Session &session, unsigned first_author, unsigned last_author, unsigned count = 0)
{
	for (unsigned author = first_author; author <= last_author; ++author)
		session.ask(books_of, author, books(author, count));
}

void
ask_all(Session &session, const Statement &statement, unsigned first, unsigned last)
{
	for (unsigned key = first; key <= last; ++key)
		session.ask(statement, key);
}

} // namespace

// The page of a workflow: ten authors, the nine books of each, the chapters of each book.

TEST(page_of_101_statements_nested)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.ask(books_of, author, books(author, 9));
		ask_all(session, chapters_of, author * 10, author * 10 + 8);
	}
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(chapters_of, books_of) == 90);
}

TEST(page_of_101_statements_level_by_level)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 10, 9);
	for (unsigned author = 1; author <= 10; ++author)
		ask_all(session, chapters_of, author * 10, author * 10 + 8);
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(chapters_of, books_of) == 90);
}

// First clause: so many for one execution of the parent.

TEST(five_repeats_are_found_and_four_are_not)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	CHECK(session.findings() == 0);
	ask_books_of(session, 5, 5);
	CHECK(session.only(5, books_of, author_list));
}

TEST(the_threshold_is_the_users)
{
	for (const unsigned threshold : {2u, 5u, 50u})
	{
		Session session(threshold);
		session.list(author_list, numbers(1, 100));
		ask_books_of(session, 1, threshold - 1);
		CHECK(session.findings() == 0);
		ask_books_of(session, threshold, threshold);
		CHECK(session.only(threshold, books_of, author_list));
	}
}

TEST(only_the_last_execution_of_the_parent_counts_alone)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	for (unsigned times = 0; times < 4; ++times)
		session.list(author_list, numbers(1, 10));
	ask_books_of(session, 5, 8);
	CHECK(session.findings() == 0); // eight for five executions
}

// Second clause: twice as many, and two for each execution of the parent.

TEST(two_for_each_of_five_executions_are_found_at_the_tenth)
{
	Session session;
	for (unsigned page = 0; page < 5; ++page)
	{
		CHECK(session.findings() == 0);
		session.list(author_list, numbers(1 + 10 * page, 10 + 10 * page));
		ask_books_of(session, 1 + 10 * page, 2 + 10 * page);
	}
	CHECK(session.only(10, books_of, author_list));
}

TEST(nine_for_four_executions_are_not_found)
{
	Session session;
	for (unsigned page = 0; page < 4; ++page)
	{
		session.list(author_list, numbers(1 + 10 * page, 10 + 10 * page));
		ask_books_of(session, 1 + 10 * page, (page == 0 ? 3 : 2) + 10 * page);
	}
	CHECK(session.findings() == 0);
}

TEST(less_than_two_for_each_execution_are_not_found)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	for (unsigned page = 0; page < 30; ++page)
	{
		session.list(author_list, numbers(1, 100));
		ask_books_of(session, 1 + 2 * page, 2 + 2 * page);
	}
	CHECK(session.findings() == 0); // 60 for 31
}

TEST(ten_pages_of_a_list_and_one_detail_are_not_found)
{
	Session session;
	for (unsigned page = 0; page < 10; ++page)
	{
		session.list(author_list, numbers(1 + 20 * page, 20 + 20 * page));
		session.ask(author_by_id, 7 + 20 * page, numbers(7 + 20 * page, 7 + 20 * page));
	}
	CHECK(session.findings() == 0);
}

// Third clause: children of a finding.

// Each author's books are in one country, and the client remembers the countries it has met.
void
read_countries_of_books(Session &session, unsigned authors, unsigned countries)
{
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= authors; ++author)
	{
		session.ask(books_and_countries_of, author, {{author * 10, 500 + author}, {author * 10 + 1, 500 + author}});
		if (author <= countries)
			session.ask(country_of_book, 500 + author, {{500 + author}});
	}
}

TEST(five_children_of_a_found_parent_are_found)
{
	Session session;
	read_countries_of_books(session, 10, 5);
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_and_countries_of, author_list) == 10);
	CHECK(session.repeats(country_of_book, books_and_countries_of) == 5);
}

TEST(four_children_of_a_found_parent_are_not_found)
{
	Session session;
	read_countries_of_books(session, 10, 4);
	CHECK(session.only(10, books_and_countries_of, author_list));
}

TEST(five_children_of_a_parent_that_is_not_found_are_not_found)
{
	Session session;
	for (unsigned author = 1; author <= 9; ++author)
	{
		session.ask(books_and_countries_of, author, {{author * 10, 500 + author}});
		session.ask(country_of_book, 500 + author, {{500 + author}});
	}
	CHECK(session.findings() == 0);
}

TEST(children_that_waited_are_found_together_with_their_parent)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 5; ++author)
	{
		CHECK(session.findings() == 0);
		session.ask(books_and_countries_of, author, {{author * 10, 500 + author}});
		if (author < 5)
			session.ask(country_of_book, 500 + author, {{500 + author}});
	}
	CHECK(session.only(5, books_and_countries_of, author_list));
	session.ask(country_of_book, 505, {{505}});
	CHECK(session.repeats(country_of_book, books_and_countries_of) == 5);
}

TEST(a_chain_of_loops_is_found_whichever_grows_first)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 4; ++author)
	{
		session.ask(books_of, author, books(author, 1));
		session.ask(chapters_of, author * 10);
	}
	session.ask(books_of, 5, books(5, 1));
	session.ask(chapters_of, 50);
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 5);
	CHECK(session.repeats(chapters_of, books_of) == 5);
}

// Fourth clause: a walk down a tree.

// One shelf in another, so many steps deep; the first step starts at the root's own row.
void
walk_down(Session &session, unsigned steps)
{
	session.ask(shelf_by_id, 1, {{1}});
	for (unsigned step = 1; step <= steps; ++step)
		session.ask(shelves_in, step, {{step + 1, step}});
}

TEST(five_steps_from_shelf_to_shelf_are_found)
{
	Session session;
	walk_down(session, 6);
	CHECK(session.only(6, shelves_in, shelves_in));
}

TEST(four_steps_from_shelf_to_shelf_are_not_found)
{
	Session session;
	walk_down(session, 5);
	CHECK(session.findings() == 0);
}

TEST(a_walk_up_a_tree_finds_one_row_at_a_time)
{
	Session session;
	for (unsigned step = 30; step > 0; --step)
		session.ask(shelf_and_parent_by_id, step, {{step, step - 1}});
	CHECK(session.findings() == 0);
}

TEST(a_bushy_tree_is_found_with_all_its_steps)
{
	Session session;
	session.ask(shelf_by_id, 1, {{1}});
	session.ask(shelves_in, 1, {{10, 1}, {11, 1}, {12, 1}});
	for (unsigned child = 10; child <= 12; ++child)
	{
		session.ask(shelves_in, child, {{child * 10, child}, {child * 10 + 1, child}, {child * 10 + 2, child}});
		ask_all(session, shelves_in, child * 10, child * 10 + 2);
	}
	CHECK(session.only(13, shelves_in, shelves_in));
}

TEST(a_statement_that_returns_its_own_key_is_no_walk)
{
	Session session;
	for (unsigned round = 0; round < 3; ++round)
		for (unsigned author = 1; author <= 20; ++author)
			session.ask(books_of, author, {{5000 + author, author}});
	CHECK(session.findings() == 0);
}

// Different values: what is asked for again and again is polled.

TEST(polling_one_row_is_not_found)
{
	Session session;
	session.list(author_list, numbers(1, 1));
	for (unsigned times = 0; times < 1000; ++times)
		session.ask(books_of, 1, books(1, 2));
	CHECK(session.findings() == 0);
}

TEST(polling_one_row_of_many_is_not_found)
{
	Session session(2);
	session.list(author_list, numbers(1, 30));
	for (unsigned times = 0; times < 30; ++times)
		session.ask(books_of, 7);
	CHECK(session.findings() == 0);
}

TEST(the_same_four_of_many_rows_are_not_found)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	for (unsigned times = 0; times < 10; ++times)
		ask_books_of(session, 1, 4);
	CHECK(session.findings() == 0);
	session.ask(books_of, 5);
	CHECK(session.only(41, books_of, author_list));
}

// Without an identity map each of ten books loads its author, though there are only two of them.
TEST(few_values_that_make_up_four_fifths_of_the_rows_are_found)
{
	Session session;
	Rows rows;
	for (unsigned book = 0; book < 10; ++book)
		rows.push_back({100 + book, 1 + book % 2});
	session.list(book_list, rows);
	for (unsigned book = 0; book < 7; ++book)
		session.ask(author_by_id, 1 + book % 2, {{1 + book % 2}});
	CHECK(session.findings() == 0);
	session.ask(author_by_id, 2, {{2}});
	CHECK(session.only(8, author_by_id, book_list));
}

TEST(one_value_in_all_rows_is_not_found)
{
	Session session;
	session.list(book_list, {{100, 1}, {101, 1}, {102, 1}, {103, 1}, {104, 1}});
	for (unsigned book = 0; book < 5; ++book)
		session.ask(author_by_id, 1, {{1}});
	CHECK(session.findings() == 0);
}

TEST(an_identity_map_asks_once_for_each_value)
{
	Session session;
	Rows rows;
	for (unsigned book = 0; book < 90; ++book)
		rows.push_back({100 + book, 1 + book % 10});
	session.list(book_list, rows);
	for (unsigned author = 1; author <= 10; ++author)
		session.ask(author_by_id, author, {{author}});
	CHECK(session.only(10, author_by_id, book_list));
}

// Ties between the parent's columns and the child's keys.

TEST(a_column_of_its_own_ties)
{
	Session session;
	session.list(book_authors, numbers(1, 6));
	ask_books_of(session, 1, 6);
	CHECK(session.only(6, books_of, book_authors));
}

TEST(equal_values_of_unrelated_columns_do_not_tie)
{
	Session session;
	session.list(settings, numbers(1, 20));
	ask_books_of(session, 1, 20);
	CHECK(session.findings() == 0);
}

TEST(values_of_another_column_of_the_parent_do_not_tie)
{
	Session session;
	session.list(book_list, {{1, 11}, {2, 12}, {3, 13}, {4, 14}, {5, 15}, {6, 16}});
	ask_all(session, author_by_id, 1, 6);
	CHECK(session.findings() == 0);
}

TEST(values_that_the_parent_did_not_return_do_not_count)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	ask_books_of(session, 1001, 1100);
	CHECK(session.findings() == 0);
}

TEST(a_sibling_ties)
{
	Session session;
	session.list(book_authors, numbers(1, 6));
	ask_all(session, relation_of_authors(0), 1, 6);
	CHECK(session.only(6, relation_of_authors(0), book_authors));
}

// For each author its books, which name the author again, and something else.
TEST(the_parent_of_siblings_is_preferred_to_a_sibling)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.ask(books_of, author, books(author, 2));
		session.ask(relation_of_authors(0), author);
	}
	CHECK(session.findings() == 2);
	CHECK(session.repeats(books_of, author_list) == 10);
	CHECK(session.repeats(relation_of_authors(0), author_list) == 10);
}

// Both hold for the first time with the fifth different value.
TEST(the_parent_with_more_children_is_preferred)
{
	Session session;
	session.list(author_list, numbers(1, 100));
	session.list(other_author_list, numbers(3, 100));
	for (unsigned times = 0; times < 3; ++times)
		ask_books_of(session, 1, 4);
	CHECK(session.findings() == 0);
	session.ask(books_of, 5);
	CHECK(session.only(13, books_of, author_list));
}

TEST(another_statement_is_preferred_to_the_child_itself)
{
	Session session;
	session.list(shelf_list, numbers(2, 6));
	walk_down(session, 6);
	CHECK(session.only(6, shelves_in, shelf_list));
}

TEST(of_two_equal_parents_the_later_is_named)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.list(other_author_list, numbers(1, 10));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, other_author_list));
}

TEST(a_later_parent_without_the_value_is_passed_over)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.list(other_author_list, numbers(11, 20));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(children_are_shared_out_between_their_parents)
{
	Session session;
	session.list(author_list, numbers(1, 4));
	session.list(other_author_list, numbers(5, 8));
	ask_books_of(session, 1, 8);
	CHECK(session.findings() == 0); // four each
}

TEST(a_constant_tenant_beside_the_key_is_not_the_key)
{
	for (const bool tenant_first : {true, false})
	{
		Session session;
		Rows rows;
		for (unsigned book = 1; book <= 10; ++book)
			rows.push_back({77, book});
		session.list(tenant_books, rows);
		for (unsigned book = 1; book <= 10; ++book)
			if (tenant_first)
				session.run(tenant_chapters, {77, book}, {});
			else
				session.run(chapters_of_tenant, {book, 77}, {});
		CHECK(session.only(10, tenant_first ? tenant_chapters : chapters_of_tenant, tenant_books));
		CHECK(session.key() == chapter_book);
	}
}

TEST(a_constant_tenant_alone_makes_no_finding)
{
	Session session;
	session.list(tenant_books, {{77, 1}});
	for (unsigned book = 101; book <= 130; ++book)
		session.run(tenant_chapters, {77, book}, {});
	CHECK(session.findings() == 0);
}

// What is counted as a repeat.

TEST(at_four_fifths_all_executions_are_repeats)
{
	Session session;
	session.list(author_list, numbers(1, 8));
	ask_books_of(session, 1, 8);
	ask_books_of(session, 901, 902);
	CHECK(session.only(10, books_of, author_list)); // 8 of 10
}

TEST(below_four_fifths_the_linked_ones_are)
{
	Session session;
	session.list(author_list, numbers(1, 8));
	ask_books_of(session, 1, 8);
	ask_books_of(session, 901, 903);
	CHECK(session.only(8, books_of, author_list)); // 8 of 11
}

TEST(what_ran_before_the_parent_is_no_repeat)
{
	Session session;
	ask_books_of(session, 901, 910);
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(time_is_added_up_from_the_first_repeat)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.pause(40 * millisecond); // the page was thinking, not looping
	session.ask(books_of, 1);
	for (unsigned author = 2; author <= 10; ++author)
	{
		session.pause(3 * millisecond);
		session.ask(books_of, author);
	}
	unsigned children = 0;
	session.fan_out->each_child([&](const Child &child) {
		++children;
		CHECK(child.waiting == 9 * 3 * millisecond);
		CHECK(child.server == 10 * (millisecond / 10));
	});
	CHECK(children == 1);
}

TEST(a_loop_of_2000_is_reported_as_2000)
{
	for (const char mode : {'a', 'b', 'w'}) // autocommit, block, watch
	{
		Session session;
		if (mode == 'b')
			session.begin();
		if (mode == 'w')
			session.watch();
		session.list(author_list, numbers(1, 2000));
		ask_books_of(session, 1, 2000);
		CHECK(session.only(2000, books_of, author_list));
	}
}

TEST(a_loop_over_10000_rows)
{
	Session session;
	session.list(author_list, numbers(1, 10'000));
	ask_books_of(session, 1, 10'000);
	CHECK(session.only(10'000, books_of, author_list));
}

TEST(some_of_10000_rows)
{
	Session session;
	session.list(author_list, numbers(1, 10'000));
	for (unsigned author = 5; author <= 10'000; author += 100)
		session.ask(books_of, author);
	CHECK(session.only(100, books_of, author_list));
}

// Units of work.

TEST(a_pause_within_the_burst_gap_goes_on)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 3);
	session.pause(50 * millisecond);
	ask_books_of(session, 4, 6);
	CHECK(session.only(6, books_of, author_list));
	CHECK(session.unit() == 1);
}

TEST(a_longer_pause_ends_the_burst)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.pause(50 * millisecond + 1);
	ask_books_of(session, 5, 8);
	CHECK(session.findings() == 0);
	CHECK(session.unit() == 2);
}

TEST(each_unit_has_its_own_finding)
{
	Session session;
	for (unsigned page = 0; page < 3; ++page)
	{
		session.pause(2 * second);
		session.list(author_list, numbers(1, 10));
		ask_books_of(session, 1, 5 + page);
	}
	CHECK(session.findings() == 3);
	CHECK(session.repeats(books_of, author_list) == 7);
}

TEST(a_parent_has_children_for_a_second_after_its_burst)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.pause(second - 10 * millisecond); // a cold client
	ask_books_of(session, 1, 10);
	CHECK(session.only(10, books_of, author_list));
}

TEST(a_parent_has_no_children_later)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	session.pause(second + 1);
	ask_books_of(session, 1, 10);
	CHECK(session.findings() == 0);
}

TEST(a_parent_of_the_next_unit_starts_from_nothing)
{
	Session session;
	session.list(book_list, {{10, 1}, {11, 2}});
	for (unsigned times = 0; times < 30; ++times)
		session.list(book_list, numbers_twice(1000, 1100));
	session.pause(100 * millisecond);

	// Its values: the next unit's list knows nothing of books 10 and 11.
	session.list(book_list, {{20, 3}, {21, 4}});
	for (unsigned times = 0; times < 5; ++times)
		ask_all(session, chapters_of, 10, 11);
	CHECK(session.findings() == 0);
	// Its rows: two authors make up four fifths of two rows.
	for (unsigned times = 0; times < 3; ++times)
		ask_all(session, author_by_id, 3, 4);
	CHECK(session.only(6, author_by_id, book_list));
}

TEST(executions_are_counted_in_the_unit)
{
	Session session;
	for (unsigned times = 0; times < 30; ++times)
		session.list(author_list, numbers(1, 10));
	session.pause(100 * millisecond);
	for (unsigned page = 0; page < 5; ++page)
	{
		session.list(author_list, numbers(1, 10));
		ask_books_of(session, 1 + 2 * page, 2 + 2 * page);
	}
	CHECK(session.only(10, books_of, author_list));
}

TEST(children_are_visited_in_their_unit_only)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 10);
	session.pause(2 * second);
	session.list(settings, {});
	unsigned visited = 0;
	session.fan_out->each_child([&](const Child &) { ++visited; });
	CHECK(visited == 0);
}

TEST(an_explicit_transaction_is_a_unit_whatever_its_pauses)
{
	Session session;
	session.begin();
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.pause(900 * millisecond);
		session.ask(books_of, author);
	}
	CHECK(session.only(10, books_of, author_list));
	CHECK(session.unit() == 1);
}

TEST(begin_and_commit_start_new_units)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.begin();
	ask_books_of(session, 1, 4);
	CHECK(session.unit() == 2);
	session.commit();
	ask_books_of(session, 1, 4);
	CHECK(session.unit() == 3);
	CHECK(session.findings() == 0);
}

TEST(the_next_transaction_is_another_unit)
{
	Session session;
	for (unsigned transaction = 0; transaction < 2; ++transaction)
	{
		session.begin();
		session.list(author_list, numbers(1, 10));
		ask_books_of(session, 1, 4);
	}
	CHECK(session.findings() == 0);
	CHECK(session.unit() == 2);
}

TEST(a_watched_stretch_is_never_cut)
{
	Session session;
	session.watch();
	session.list(author_list, numbers(1, 10));
	for (unsigned author = 1; author <= 10; ++author)
	{
		session.pause(100 * second);
		if (author % 3 == 0)
			session.begin();
		session.ask(books_of, author);
		session.commit();
	}
	CHECK(session.only(10, books_of, author_list));
	CHECK(session.unit() == 1);
}

TEST(a_watch_starts_afresh_and_ends_a_unit)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	session.watch();
	ask_books_of(session, 5, 9); // the list was not watched
	CHECK(session.findings() == 0);
	session.watch();
	session.ask(books_of, 10);
	CHECK(session.unit() == 3);
	session.stop_watching();
	session.ask(books_of, 10);
	CHECK(session.unit() == 4);
	CHECK(session.findings() == 0);
}

// Places are few.

TEST(six_other_statements_between_parent_and_loop)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	for (unsigned number = 0; number < 6; ++number)
		session.list(unrelated(number), numbers(1, 10));
	ask_books_of(session, 1, 10, 2);
	CHECK(session.only(10, books_of, author_list));
}

// For each author its books, and ten statements that have nothing to do with it.
void
loop_among_others(Session &session)
{
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
	{
		session.ask(books_of, author, books(author, 2));
		for (unsigned number = 0; number < 10; ++number)
			session.list(unrelated(10 * (author % 2) + number), numbers(1, 10));
	}
}

TEST(a_proved_parent_outlives_ten_other_shapes_for_each_row)
{
	Session session;
	loop_among_others(session);
	CHECK(session.only(20, books_of, author_list));
}

TEST(what_was_proved_in_another_unit_does_not_matter)
{
	Session session;
	for (unsigned number = 0; number < parent_limit; ++number)
		session.list({3000 + number, {}, {author_id}}, {{1}});
	session.ask(book_count_of, 1);
	session.pause(100 * millisecond);
	for (unsigned number = 0; number < parent_limit; ++number)
		session.list(unrelated(number), numbers(1, 10));
	loop_among_others(session);
	CHECK(session.only(20, books_of, author_list));
}

TEST(ten_relations_of_each_row)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
		for (unsigned number = 0; number < 10; ++number)
			session.ask(relation_of_authors(number), author, numbers(author, author));
	CHECK(session.findings() == 10);
	for (unsigned number = 0; number < 10; ++number)
		CHECK(session.repeats(relation_of_authors(number), author_list) == 20);
}

TEST(sixteen_children_at_once)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned author = 1; author <= 20; ++author)
		for (unsigned number = 0; number < child_limit; ++number)
			session.ask(relation_of_authors(number), author, numbers(author, author));
	CHECK(session.findings() == child_limit);
	for (unsigned number = 0; number < child_limit; ++number)
		CHECK(session.repeats(relation_of_authors(number), author_list) == 20);
}

TEST(any_number_of_children_one_after_the_other)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned number = 0; number < 3 * child_limit; ++number)
		ask_all(session, relation_of_authors(number), 1, 20);
	CHECK(session.findings() == 3 * child_limit);
	for (unsigned number = 0; number < 3 * child_limit; ++number)
		CHECK(session.repeats(relation_of_authors(number), author_list) == 20);
}

TEST(two_loops_at_once_after_sixteen_others)
{
	Session session;
	session.list(author_list, numbers(1, 20));
	for (unsigned number = 0; number < child_limit; ++number)
		ask_all(session, relation_of_authors(number), 1, 20);
	for (unsigned author = 1; author <= 20; ++author)
		for (const unsigned number : {child_limit, child_limit + 1})
			session.ask(relation_of_authors(number), author);
	CHECK(session.findings() == child_limit + 2);
}

TEST(children_of_earlier_units_give_way_first)
{
	Session session;
	for (unsigned page = 0; page < 5; ++page)
	{
		session.pause(second * 2);
		session.list(author_list, numbers(1, 20));
		for (unsigned author = 1; author <= 20; ++author)
			for (unsigned number = 0; number < 12; ++number)
				session.ask(relation_of_authors(12 * page + number), author);
	}
	CHECK(session.findings() == 5 * 12);
}

TEST(the_likeliest_parent_is_known_before_the_finding)
{
	Session session;
	session.list(other_author_list, numbers(8, 9));
	session.list(author_list, numbers(1, 5));
	session.ask(books_of, 8);
	ask_books_of(session, 1, 2);
	CHECK(session.findings() == 0);
	session.fan_out->each_child([&](const Child &child) {
		CHECK(session.fan_out->likeliest_parent(child).fingerprint == author_list.fingerprint);
	});
}

// What failed has returned nothing.

TEST(a_parent_that_was_never_released_has_no_children)
{
	for (const bool ended_well_before : {false, true})
	{
		Session session;
		if (ended_well_before)
			session.list(author_list, numbers(1, 10));
		session.pause(100 * millisecond);
		session.list(settings, numbers(1, 2));
		Parent &failed = session.fan_out->hold(author_list.fingerprint);
		failed.columns[failed.column_count++] = author_id;
		for (unsigned author = 1; author <= 10; ++author)
			failed.values.insert(in_column(hash_of(author), 0));
		ask_all(session, book_count_of, 1, 10);
		CHECK(session.findings() == 0);
	}
}

TEST(a_parent_that_runs_in_portions_is_one_execution)
{
	Session session;
	session.list(author_list, numbers(1, 10));
	ask_books_of(session, 1, 4);
	Parent &parent = session.fan_out->hold(author_list.fingerprint);
	for (unsigned author = 11; author <= 20; ++author)
		parent.values.insert(in_column(hash_of(author), 0));
	session.fan_out->release(parent, 1000 * second + 100 * millisecond, 10, false);
	CHECK(parent.executions == 1 && parent.rows == 20);
	session.ask(books_of, 11);
	CHECK(session.only(5, books_of, author_list));
}
