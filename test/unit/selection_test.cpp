// sources: src/index_advice/benefit_graph.cpp src/index_advice/choice.cpp src/index_advice/se[al]*.cpp

#include "check.hpp"

#include <algorithm>
#include <ctime>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "index_advice/selection.hpp"

namespace {

using namespace remedy::index_advice;

// A way to run a statement: the indexes it needs, by number of candidate, and its cost.
struct Way
{
	std::vector<int> needs;
	double cost;
};

struct World
{
	std::deque<std::vector<BenefitGraph::Plan>> plans;
	std::deque<std::vector<int>> numbers;
	std::vector<Statement> statements;
	std::vector<Candidate> candidates;
	std::vector<TableWrites> tables;
	std::deque<std::vector<char>> memory;
	Limits limits;
	long checks = 0;

	int table(double entered = 0, double existing_ms = 0)
	{
		tables.push_back({entered, {}, 0, existing_ms});
		return static_cast<int>(tables.size()) - 1;
	}

	int index(int table, double bytes = 1e6, double entry_ms = 0.004, Set lost = 0)
	{
		candidates.push_back({table, bytes, bytes, entry_ms, lost});
		return static_cast<int>(candidates.size()) - 1;
	}

	// For each of its tables the cheapest way counts; the first of each is without an index.
	struct Planned
	{
		std::vector<std::vector<std::pair<Set, double>>> tables;
	};

	void statement(double ms, const std::vector<std::vector<Way>> &tables_ways)
	{
		Planned planned;
		std::vector<int> local;

		for (const auto &ways : tables_ways)
		{
			planned.tables.emplace_back();
			for (const Way &way : ways)
			{
				Set needs = 0;
				for (const int index : way.needs)
				{
					const auto at = std::find(local.begin(), local.end(), index);
					needs |= only(static_cast<int>(at - local.begin()));
					if (at == local.end())
						local.push_back(index);
				}
				planned.tables.back().emplace_back(needs, way.cost);
			}
		}

		const auto plan = [](Set available, double &cost, Set &used, void *context) {
			cost = 0;
			used = 0;
			for (const auto &ways : static_cast<Planned *>(context)->tables)
			{
				const std::pair<Set, double> *best = nullptr;
				for (const auto &way : ways)
					if (is_within(way.first, available) && (best == nullptr || way.second < best->second))
						best = &way;
				cost += best->second;
				used |= best->first;
			}
		};
		BenefitGraph graph;
		std::vector<BenefitGraph::Plan> room(512);
		const Set all = local.empty() ? 0 : ~Set{0} >> (64 - local.size());
		graph.build(all, {plan, &planned}, 512, room.data(), 512);
		plans.emplace_back(static_cast<std::size_t>(graph.count()));
		numbers.push_back(local);
		statements.push_back(
			{graph.moved_to(plans.back().data()), numbers.back().data(), static_cast<int>(local.size()), ms});
	}

	Workload workload() const
	{
		return {statements.data(), static_cast<int>(statements.size()),
				candidates.data(), static_cast<int>(candidates.size()),
				tables.data(),     static_cast<int>(tables.size())};
	}

	Selection select()
	{
		return remedy::index_advice::select(workload(), limits,
											{[](std::size_t bytes, void *context) -> void * {
												 auto &memory = static_cast<World *>(context)->memory;
												 return memory.emplace_back(bytes).data();
											 },
											 [](void *context) { ++static_cast<World *>(context)->checks; }, this});
	}

	// The definition of the goal, written again.
	double value(const std::vector<bool> &chosen) const
	{
		double value = 0, all_ms = 0, bytes = 0;
		int count = 0;

		for (const Statement &statement : statements)
		{
			Set available = 0;
			for (int i = 0; i < statement.candidate_count; ++i)
				if (chosen[static_cast<std::size_t>(statement.candidates[i])])
					available |= only(i);
			const double ratio = statement.graph.cost(available) / statement.graph.cost(0);
			if (ratio <= 1 - limits.least_improvement)
				value += statement.ms * (1 - ratio);
			all_ms += statement.ms;
		}
		for (std::size_t t = 0; t < tables.size(); ++t)
		{
			double entry_ms = 0;
			Set lost = 0;
			for (std::size_t i = 0; i < candidates.size(); ++i)
				if (chosen[i] && candidates[i].table == static_cast<int>(t))
				{
					entry_ms += candidates[i].entry_ms;
					lost |= candidates[i].lost_hot;
				}
			value -= tables[t].charge_ms(entry_ms, lost);
		}
		for (std::size_t i = 0; i < candidates.size(); ++i)
			if (chosen[i])
			{
				++count;
				bytes += candidates[i].bytes;
			}
		if ((limits.max_bytes > 0 && bytes > limits.max_bytes) ||
			(limits.max_indexes > 0 && count > limits.max_indexes))
			return -1e9;
		return value - bytes * limits.byte_ms - count * std::max(limits.least_ms, limits.least_share * all_ms);
	}

	double best_value() const
	{
		double best = 0;

		for (Set set = 0; set < only(static_cast<int>(candidates.size())); ++set)
		{
			std::vector<bool> chosen;
			for (std::size_t i = 0; i < candidates.size(); ++i)
				chosen.push_back((set & only(static_cast<int>(i))) != 0);
			best = std::max(best, value(chosen));
		}
		return best;
	}
};

bool
is_close(double one, double other)
{
	return one - other < 1e-6 && other - one < 1e-6;
}

std::vector<int>
numbers_of(const Selection &selection)
{
	std::vector<int> numbers;

	for (int i = 0; i < selection.chosen_count; ++i)
		numbers.push_back(selection.chosen[i].candidate);
	return numbers;
}

std::vector<bool>
flags_of(const World &world, const Selection &selection)
{
	std::vector<bool> flags(world.candidates.size());

	for (int i = 0; i < selection.chosen_count; ++i)
		flags[static_cast<std::size_t>(selection.chosen[i].candidate)] = true;
	return flags;
}

void
make_random(World &world, std::mt19937 &random, int statements, int tables, int indexes_each)
{
	const auto draw = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };

	for (int t = 0; t < tables; ++t)
	{
		world.table(draw(2) * draw(20000), 0.003 * draw(5));
		for (int i = draw(3); i > 0; --i)
			world.tables.back().add_hot(draw(50000));
		for (int i = 0; i < indexes_each; ++i)
			world.index(t, 1e5 * (1 + draw(100)), 0.001 * (1 + draw(10)), random() & random() & 3);
		world.tables.back().kinds = 2;
	}
	for (int s = 0; s < statements; ++s)
	{
		std::vector<std::vector<Way>> parts;
		const auto joined = 1 + static_cast<std::size_t>(draw(std::min(3, tables)));
		for (const int first = draw(tables); parts.size() < joined;)
		{
			const int t = (first + static_cast<int>(parts.size())) % tables;
			std::vector<Way> ways = {{{}, 1000.0 + draw(3000)}};
			for (int i = draw(5); i >= 0; --i)
			{
				std::vector<int> needs = {t * indexes_each + draw(indexes_each)};
				if (draw(4) == 0)
					needs.push_back(t * indexes_each + draw(indexes_each));
				ways.push_back({needs, 4.0 + draw(2) * draw(1500)});
			}
			parts.push_back(ways);
		}
		world.statement(1.0 + draw(1000), parts);
	}
}

// Found value as a share of the best one, over random worlds.
std::vector<double>
ratios(const Limits &limits, int rounds)
{
	std::mt19937 random(11);
	std::vector<double> found;

	for (int round = 0; round < rounds; ++round)
	{
		World world;
		world.limits = limits;
		make_random(world, random, 3 + round % 12, 2 + round % 2, 4 + round % 2);
		const double best = world.best_value();
		const double value = world.value(flags_of(world, world.select()));
		CHECK(value <= best + 1e-6);
		CHECK(value >= -1e-6);
		if (best > 1e-6)
			found.push_back(value / best);
	}
	std::sort(found.begin(), found.end());
	return found;
}

void
check_ratios(const char *name, const Limits &limits, double least_mean)
{
	const std::vector<double> found = ratios(limits, 300);
	double mean = 0;

	for (const double ratio : found)
		mean += ratio / static_cast<double>(found.size());
	std::printf("%s: of %zu worlds worst %.3f, 5 %% %.3f, median %.3f, mean %.4f\n", name, found.size(), found[0],
				found[found.size() / 20], found[found.size() / 2], mean);
	CHECK(found[found.size() / 2] > 0.9999);
	CHECK(mean > least_mean);
}

} // namespace

TEST(about_as_good_as_the_best_of_all_choices)
{
	check_ratios("no limit", {.least_improvement = 0}, 0.996);
	check_ratios("charges", {.least_ms = 20, .least_improvement = 0, .byte_ms = 1e-6}, 0.996);
	check_ratios("20 % improvement", {.least_ms = 20, .least_improvement = 0.2}, 0.995);
	check_ratios("10 MB", {.max_bytes = 1e7, .least_improvement = 0}, 0.995);
	check_ratios("two indexes", {.max_indexes = 2, .least_improvement = 0}, 0.98);
}

TEST(both_arms_of_an_or_are_found)
{
	World world;
	const int t = world.table();
	const int left = world.index(t), right = world.index(t), other = world.index(t);

	world.limits.least_ms = 1;
	world.statement(100, {{{{}, 1000}, {{left, right}, 10}}});
	world.statement(10, {{{{}, 1000}, {{other}, 100}}});
	const Selection selection = world.select();
	CHECK((numbers_of(selection) == std::vector<int>{left, right, other}));
	CHECK(is_close(selection.chosen[0].saving_ms, 99) && is_close(selection.chosen[1].saving_ms, 99));
	CHECK(is_close(selection.saving_ms, 99 + 9));
	CHECK(selection.chosen[0].served_count == 1 && selection.chosen[0].served[0].statement == 0);
	CHECK(is_close(selection.chosen[0].served[0].cost_before, 1000));
	CHECK(is_close(selection.chosen[0].served[0].cost_without, 1000));
	CHECK(is_close(selection.chosen[0].served[0].cost_after, 10));
}

TEST(writes_can_cost_more)
{
	World world;
	const int log = world.table(1e6), heartbeat = world.table(0, 0.02);
	const int of_log = world.index(log), seen = world.index(heartbeat), not_seen = world.index(heartbeat);

	world.tables[1].add_hot(1e6);
	world.candidates[1].lost_hot = 1;
	world.limits.least_ms = 1;
	world.statement(1000, {{{{}, 1000}, {{of_log}, 10}}});
	world.statement(1000, {{{{}, 1000}, {{seen}, 10}}});
	world.statement(1000, {{{{}, 1000}, {{not_seen}, 10}}});
	const Selection selection = world.select();
	CHECK((numbers_of(selection) == std::vector<int>{not_seen}));
	CHECK(selection.judged[of_log].verdict == Verdict::writes_cost_more);
	CHECK(is_close(selection.judged[of_log].saving_ms, 990) && is_close(selection.judged[of_log].write_ms, 4000));
	CHECK(selection.judged[seen].verdict == Verdict::writes_cost_more);
	CHECK(is_close(selection.judged[seen].write_ms, 24000 + 500));
}

// Once one index has ended HOT updates, a second one costs no more than its own entries.
TEST(hot_updates_are_lost_once)
{
	World world;
	const int t = world.table(0, 0.01);

	world.tables[0].add_hot(1e6);
	const int one = world.index(t, 1e6, 0.004, 1), two = world.index(t, 1e6, 0.004, 1);
	world.statement(20000, {{{{}, 1000}, {{one}, 1}}});
	world.statement(20000, {{{{}, 1000}, {{two}, 1}}});
	const Selection selection = world.select();
	CHECK(selection.chosen_count == 2);
	CHECK(is_close(selection.write_ms, 1e6 * (0.01 + 0.0005 + 2 * 0.004)));
	CHECK(is_close(selection.chosen[0].write_ms, 4000) && is_close(selection.chosen[1].write_ms, 4000));
}

TEST(one_wide_index_rather_than_a_prefix_beside_it)
{
	World world;
	const int t = world.table(1e3);
	const int narrow = world.index(t, 1e6), wide = world.index(t, 2e6);

	world.statement(5000, {{{{}, 1000}, {{narrow}, 10}, {{wide}, 11}}});
	world.statement(500, {{{{}, 1000}, {{narrow}, 300}, {{wide}, 5}}});
	const Selection selection = world.select();
	CHECK((numbers_of(selection) == std::vector<int>{wide}));
	CHECK(selection.judged[narrow].verdict == Verdict::another_serves && selection.judged[narrow].other == wide);
	CHECK(selection.chosen[0].served_count == 2);
}

TEST(a_merged_one_takes_the_place_of_two)
{
	World world;
	const int t = world.table(5e4);
	const int one = world.index(t), two = world.index(t), merged = world.index(t, 1.5e6);

	world.statement(5000, {{{{}, 1000}, {{one}, 10}, {{merged}, 15}}});
	world.statement(5000, {{{{}, 1000}, {{two}, 10}, {{merged}, 15}}});
	CHECK((numbers_of(world.select()) == std::vector<int>{merged}));
}

TEST(what_saves_too_little_is_said_to)
{
	World world;
	const int t = world.table();
	const int little = world.index(t), slightly = world.index(t), unused = world.index(t);

	world.limits.least_ms = 50;
	world.statement(40, {{{{}, 1000}, {{little}, 10}}});
	world.statement(4000, {{{{}, 1000}, {{slightly}, 850}, {{unused}, 1000}}});
	const Selection selection = world.select();
	CHECK(selection.chosen_count == 0 && selection.saving_ms == 0);
	CHECK(selection.judged[little].verdict == Verdict::saves_too_little);
	CHECK(is_close(selection.judged[little].saving_ms, 39.6));
	CHECK(selection.judged[slightly].verdict == Verdict::saves_nothing); // less than 20 %
	CHECK(selection.judged[unused].verdict == Verdict::saves_nothing);
}

// 1000, 100, 99: the second step is no improvement of what is left.
TEST(an_index_that_adds_little_to_another_is_left_out)
{
	World world;
	const int big = world.table(), small = world.table();
	const int first = world.index(big), second = world.index(small);

	world.statement(1e6, {{{{}, 900}, {{first}, 1}}, {{{}, 100}, {{second}, 90}}});
	const Selection selection = world.select();
	CHECK((numbers_of(selection) == std::vector<int>{first}));
}

TEST(a_budget_is_kept_and_told)
{
	World world;
	const int t = world.table();
	const int large = world.index(t, 9e6), small = world.index(t, 4e6), smaller = world.index(t, 3e6);

	world.statement(100, {{{{}, 1000}, {{large}, 10}}});
	world.statement(80, {{{{}, 1000}, {{small}, 10}}});
	world.statement(70, {{{{}, 1000}, {{smaller}, 10}}});
	CHECK(world.select().chosen_count == 3);
	world.limits.max_bytes = 1e7;
	const Selection selection = world.select();
	CHECK((numbers_of(selection) == std::vector<int>{small, smaller}));
	CHECK(selection.bytes == 7e6 && selection.judged[large].verdict == Verdict::over_budget);
	world.limits = {.max_indexes = 1};
	CHECK((numbers_of(world.select()) == std::vector<int>{large}));
	world.limits = {.max_bytes = 2e6};
	CHECK(world.select().chosen_count == 0);
}

TEST(the_same_input_gives_the_same_advice_and_nothing_gives_nothing)
{
	std::mt19937 random(5);
	World world;

	CHECK(world.select().chosen_count == 0);
	make_random(world, random, 60, 6, 10);
	CHECK(numbers_of(world.select()) == numbers_of(world.select()));
	CHECK(world.checks > 100);
}

TEST(every_chosen_one_serves_something_and_is_worth_its_charges)
{
	std::mt19937 random(6);
	int chosen = 0;

	for (int round = 0; round < 100; ++round)
	{
		World world;
		world.limits = {.least_ms = 10};
		make_random(world, random, 30, 4, 8);
		const Selection selection = world.select();
		for (int i = 0; i < selection.chosen_count; ++i, ++chosen)
		{
			CHECK(selection.chosen[i].served_count > 0);
			CHECK(selection.chosen[i].saving_ms - selection.chosen[i].write_ms > 10);
			CHECK(selection.judged[selection.chosen[i].candidate].verdict == Verdict::chosen);
		}
		for (std::size_t i = 0; i < world.candidates.size(); ++i)
			CHECK((selection.judged[i].verdict == Verdict::chosen) == flags_of(world, selection)[i]);
	}
	CHECK(chosen > 300);
}

TEST(five_thousand_statements_and_two_thousand_candidates)
{
	std::mt19937 random(7);
	World world;

	world.limits = {.least_ms = 100};
	make_random(world, random, 5000, 100, 20);
	const std::clock_t started = std::clock();
	const Selection selection = world.select();
	const double took = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
	std::printf("%d chosen of 2000 in %.2f s\n", selection.chosen_count, took);
	CHECK(selection.chosen_count > 100);
	CHECK(took < 15);
}
