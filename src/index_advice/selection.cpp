#include "index_advice/selection.hpp"

#include <algorithm>

#include "index_advice/search.hpp"

namespace remedy::index_advice {

namespace {

class Selecting
{
public:
	Selection select(const Workload &workload, const Limits &limits, const Surroundings &surroundings) noexcept;

private:
	void search() noexcept;
	void go_to(const bool *wanted) noexcept;
	bool serves(const Choice::Use &use, Served &served) const noexcept;
	double least_worth(int candidate) noexcept;
	void drop_unneeded() noexcept;
	Chosen describe(int candidate) noexcept;
	void list_chosen(Selection &selection) noexcept;
	int rival_of(int candidate) const noexcept;
	Judged judge(int candidate) const noexcept;

	Choice choice_;
	Search search_;
	Surroundings surroundings_;
	Search::Worth *alone_; // by candidate, when nothing is chosen
	Search::Worth *added_; // to what is chosen
};

void
Selecting::go_to(const bool *wanted) noexcept
{
	for (int i = 0; i < choice_.workload().candidate_count; ++i)
		if (choice_.has(i) != wanted[i])
			choice_.flip(i);
}

// Under a limit of size the most valuable ones are not always the best beginning.
void
Selecting::search() noexcept
{
	const int candidates = choice_.workload().candidate_count;

	search_.run(false);
	if (choice_.limits().max_bytes <= 0)
		return;
	bool *const first = surroundings_.zeroed<bool>(candidates);
	bool *const none = surroundings_.zeroed<bool>(candidates);
	for (int i = 0; i < candidates; ++i)
		first[i] = choice_.has(i);
	const double value = choice_.value();
	go_to(none);
	search_.run(true);
	if (choice_.value() <= value + choice_.epsilon())
		go_to(first);
}

// Whether a statement uses the candidate, which is chosen, and would be much slower without.
bool
Selecting::serves(const Choice::Use &use, Served &served) const noexcept
{
	const BenefitGraph &graph = choice_.workload().statements[use.statement].graph;
	const Set available = choice_.available(use.statement);

	if ((graph.used(available) & use.bit) == 0)
		return false;
	served = {use.statement, graph.cost_without(), graph.cost(available & ~use.bit), graph.cost(available)};
	return choice_.improves(served.cost_before, served.cost_after) &&
		   choice_.improves(served.cost_without, served.cost_after);
}

// What a chosen one is worth for the statements that it serves.
double
Selecting::least_worth(int candidate) noexcept
{
	const Choice::Sums before = choice_.sums();
	const double value = choice_.value();
	double saving = 0;
	Served served;

	for (const Choice::Use &use : choice_.uses(candidate))
		if (serves(use, served))
			saving += choice_.saving_between(use.statement, served.cost_without, served.cost_after);
	choice_.flip(candidate);
	const double charges = before.saving_ms - choice_.sums().saving_ms - (value - choice_.value());
	choice_.flip(candidate);
	choice_.restore(before);
	return saving - charges;
}

// What makes nothing much faster is not worth an index, however often that is done.
void
Selecting::drop_unneeded() noexcept
{
	for (;;)
	{
		int worst = -1;
		double worst_value = choice_.epsilon();

		for (int i = 0; i < choice_.workload().candidate_count; ++i)
		{
			if (!choice_.has(i))
				continue;
			const double value = least_worth(i);
			if (value <= worst_value)
			{
				worst = i;
				worst_value = value;
			}
		}
		if (worst < 0)
			return;
		choice_.flip(worst);
	}
}

Chosen
Selecting::describe(int candidate) noexcept
{
	const Choice::Uses uses = choice_.uses(candidate);
	Served *const served = surroundings_.zeroed<Served>(static_cast<std::size_t>(uses.last - uses.first));
	const Choice::Sums before = choice_.sums();
	Chosen chosen = {candidate, 0, 0, served, 0};

	for (const Choice::Use &use : uses)
		chosen.served_count += serves(use, served[chosen.served_count]);
	choice_.flip(candidate);
	chosen.saving_ms = before.saving_ms - choice_.sums().saving_ms;
	chosen.write_ms = before.write_ms - choice_.sums().write_ms;
	choice_.flip(candidate);
	choice_.restore(before);
	return chosen;
}

void
Selecting::list_chosen(Selection &selection) noexcept
{
	Chosen *const chosen = surroundings_.zeroed<Chosen>(static_cast<std::size_t>(choice_.sums().count));

	selection.chosen = chosen;
	selection.chosen_count = 0;
	for (int i = 0; i < choice_.workload().candidate_count; ++i)
		if (choice_.has(i))
			chosen[selection.chosen_count++] = describe(i);
	std::stable_sort(chosen, chosen + selection.chosen_count, [](const Chosen &one, const Chosen &other) {
		return one.saving_ms - one.write_ms > other.saving_ms - other.write_ms;
	});
}

// Of the statement that would gain most from the candidate: what it uses of the same table.
int
Selecting::rival_of(int candidate) const noexcept
{
	const Workload &workload = choice_.workload();
	double most = 0;
	int rival = -1;

	for (const Choice::Use &use : choice_.uses(candidate))
	{
		const Statement &statement = workload.statements[use.statement];
		const double saving =
			choice_.saving_between(use.statement, statement.graph.cost_without(), statement.graph.cost(use.bit));
		Set used = statement.graph.used(choice_.available(use.statement));

		if (saving <= most)
			continue;
		for (; used != 0; used &= used - 1)
		{
			const int other = statement.candidates[std::countr_zero(used)];
			if (workload.candidates[other].table == workload.candidates[candidate].table)
			{
				most = saving;
				rival = other;
			}
		}
	}
	return rival;
}

Judged
Selecting::judge(int candidate) const noexcept
{
	const Search::Worth &alone = alone_[candidate];
	Judged judged = {Verdict::saves_too_little, -1, alone.saving_ms, alone.write_ms};

	if (choice_.has(candidate))
		judged.verdict = Verdict::chosen;
	else if (alone.saving_ms <= choice_.epsilon())
		judged.verdict = Verdict::saves_nothing;
	else if (alone.value <= choice_.epsilon())
		judged.verdict = alone.saving_ms > choice_.least_ms() && alone.saving_ms - alone.write_ms <= choice_.least_ms()
							 ? Verdict::writes_cost_more
							 : Verdict::saves_too_little;
	else if (added_[candidate].value > choice_.epsilon() && choice_.limited())
		judged.verdict = Verdict::over_budget;
	else if ((judged.other = rival_of(candidate)) >= 0)
		judged.verdict = Verdict::another_serves;
	return judged;
}

Selection
Selecting::select(const Workload &workload, const Limits &limits, const Surroundings &surroundings) noexcept
{
	const auto candidates = static_cast<std::size_t>(workload.candidate_count);
	Judged *const judged = surroundings.zeroed<Judged>(candidates);
	Selection selection;

	surroundings_ = surroundings;
	alone_ = surroundings.zeroed<Search::Worth>(candidates);
	added_ = surroundings.zeroed<Search::Worth>(candidates);
	choice_.prepare(workload, limits, surroundings);
	search_.prepare(choice_, surroundings);
	search_.rate(alone_);
	search();
	drop_unneeded();
	search_.rate(added_);
	list_chosen(selection);
	for (int i = 0; i < workload.candidate_count; ++i)
		judged[i] = judge(i);
	selection.judged = judged;
	selection.saving_ms = choice_.sums().saving_ms;
	selection.write_ms = choice_.sums().write_ms;
	selection.bytes = choice_.sums().bytes;
	return selection;
}

} // namespace

Selection
select(const Workload &workload, const Limits &limits, const Surroundings &surroundings) noexcept
{
	Selecting selecting;

	return selecting.select(workload, limits, surroundings);
}

} // namespace remedy::index_advice
