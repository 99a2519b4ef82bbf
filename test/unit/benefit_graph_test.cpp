// sources: src/index_advice/benefit_graph.cpp

#include "check.hpp"

#include <random>
#include <vector>

#include "index_advice/benefit_graph.hpp"

namespace {

using namespace remedy::index_advice;

// A planner for random statements: each of a few tables is read in the cheapest way that the
// available indexes allow; a way may need several indexes (BitmapOr).
struct Model
{
	struct Way
	{
		Set needs;
		double cost;
	};

	std::vector<std::vector<Way>> tables;
	int plannings = 0;

	Model(std::mt19937 &random, int candidates, int table_count)
	{
		const auto draw = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };

		for (int table = 0; table < table_count; ++table)
		{
			tables.push_back({{0, 1000.0 + draw(1000)}});
			const int ways = draw(6);
			for (int i = 0; i < ways; ++i)
			{
				Set needs = only(draw(candidates));
				if (draw(3) == 0)
					needs |= only(draw(candidates));
				tables.back().push_back({needs, 1.0 + draw(2000)});
			}
		}
	}

	void plan(Set available, double &cost, Set &used) const
	{
		cost = 0;
		used = 0;
		for (const auto &ways : tables)
		{
			const Way *best = nullptr;
			for (const Way &way : ways)
				if (is_within(way.needs, available) && (best == nullptr || way.cost < best->cost))
					best = &way;
			cost += best->cost;
			used |= best->needs;
		}
	}

	BenefitGraph::Planner planner()
	{
		return {[](Set available, double &cost, Set &used, void *context) {
					auto *const model = static_cast<Model *>(context);
					++model->plannings;
					model->plan(available, cost, used);
				},
				this};
	}

	double cost(Set available) const
	{
		double cost;
		Set used;
		plan(available, cost, used);
		return cost;
	}
};

bool
is_close(double one, double other)
{
	return one - other < 1e-6 && other - one < 1e-6;
}

} // namespace

TEST(every_set_costs_what_the_planner_says)
{
	std::mt19937 random(1);
	long plannings = 0, sets = 0;

	for (int round = 0; round < 500; ++round)
	{
		Model model(random, 8, 1 + round % 3);
		std::vector<BenefitGraph::Plan> plans(256);
		BenefitGraph graph;

		graph.build(255, model.planner(), 256, plans.data(), 256);
		CHECK(graph.exact());
		CHECK(graph.plannings() == model.plannings);
		plannings += graph.plannings();
		for (Set set = 0; set < 256; ++set, ++sets)
		{
			CHECK(is_close(graph.cost(set), model.cost(set)));
			CHECK(is_within(graph.used(set), set));
			CHECK(is_close(model.cost(graph.used(set)), model.cost(set)));
		}
	}
	CHECK(plannings * 15 < sets);
}

TEST(a_chain_of_alternatives_is_planned_once_for_each_and_without)
{
	std::mt19937 random(1);
	Model model(random, 1, 0);
	std::vector<BenefitGraph::Plan> plans(64);
	BenefitGraph graph;

	model.tables = {{{0, 100}, {1, 10}, {2, 20}, {4, 30}}};
	graph.build(~Set{0}, model.planner(), 64, plans.data(), 64);
	CHECK(graph.plannings() == 5 && graph.count() == 4 && graph.exact());
	CHECK(graph.cost(6) == 20 && graph.used(6) == 2);
	CHECK(graph.cost(~Set{7}) == 100 && graph.used(~Set{7}) == 0);
}

TEST(a_statement_without_candidates_is_planned_once)
{
	std::mt19937 random(1);
	Model model(random, 4, 2);
	BenefitGraph::Plan plans[2];
	BenefitGraph graph;

	graph.build(0, model.planner(), 10, plans, 2);
	CHECK(graph.exact() && graph.plannings() == 1 && is_close(graph.cost(15), model.cost(0)));
}

// Too few plannings or too little room: dearer than it is, never cheaper.
TEST(what_is_unknown_is_not_promised)
{
	std::mt19937 random(2);
	int inexact = 0;

	for (int round = 0; round < 500; ++round)
	{
		Model model(random, 10, 3);
		std::vector<BenefitGraph::Plan> plans(round % 2 == 0 ? 256 : 12);
		BenefitGraph graph;

		graph.build(1023, model.planner(), round % 2 == 0 ? 14 : 256, plans.data(), static_cast<int>(plans.size()));
		CHECK(graph.plannings() <= (round % 2 == 0 ? 14 : 12));
		inexact += !graph.exact();
		CHECK(is_close(graph.cost(0), model.cost(0)));
		CHECK(is_close(graph.cost(1023), model.cost(1023)));
		for (Set set = 0; set < 1024; ++set)
			CHECK(graph.cost(set) > model.cost(set) - 1e-6);
	}
	CHECK(inexact > 100);
}

TEST(even_then_each_index_is_known_alone)
{
	std::mt19937 random(3);
	int inexact = 0;

	for (int round = 0; round < 500; ++round)
	{
		Model model(random, 10, 4);
		std::vector<BenefitGraph::Plan> plans(256);
		BenefitGraph graph;

		graph.build(1023, model.planner(), 24, plans.data(), 256);
		inexact += !graph.exact();
		for (int i = 0; i < 10; ++i)
			CHECK(is_close(graph.cost(only(i)), model.cost(only(i))));
	}
	CHECK(inexact > 100);
}

TEST(a_graph_can_be_moved)
{
	std::mt19937 random(4);
	Model model(random, 8, 3);
	std::vector<BenefitGraph::Plan> plans(256);
	BenefitGraph graph;

	graph.build(255, model.planner(), 256, plans.data(), 256);
	std::vector<BenefitGraph::Plan> others(static_cast<std::size_t>(graph.count()));
	const BenefitGraph moved = graph.moved_to(others.data());
	plans.assign(256, {});
	for (Set set = 0; set < 256; ++set)
		CHECK(is_close(moved.cost(set), model.cost(set)));
}
