#include "index_advice/choice.hpp"

#include <algorithm>

namespace remedy::index_advice {

void
Choice::prepare(const Workload &workload, const Limits &limits, const Surroundings &surroundings) noexcept
{
	workload_ = workload;
	limits_ = limits;
	sums_ = {};
	workload_ms_ = 0;
	for (int i = 0; i < workload.statement_count; ++i)
		workload_ms_ += workload.statements[i].ms;
	least_ms_ = std::max(limits.least_ms, limits.least_share * workload_ms_);
	chosen_ = surroundings.zeroed<bool>(workload.candidate_count);
	available_ = surroundings.zeroed<Set>(workload.statement_count);
	saving_ = surroundings.zeroed<double>(workload.statement_count);
	charge_ = surroundings.zeroed<double>(workload.table_count);
	list_uses(surroundings);
	list_tables(surroundings);
}

void
Choice::list_uses(const Surroundings &surroundings) noexcept
{
	first_use_ = surroundings.zeroed<int>(workload_.candidate_count + 2);
	for (int i = 0; i < workload_.statement_count; ++i)
		for (int bit = 0; bit < workload_.statements[i].candidate_count; ++bit)
			++first_use_[workload_.statements[i].candidates[bit] + 2];
	for (int i = 2; i < workload_.candidate_count + 2; ++i)
		first_use_[i] += first_use_[i - 1];
	uses_ = surroundings.zeroed<Use>(first_use_[workload_.candidate_count + 1]);
	// Where the next goes is then where the next candidate's begin.
	for (int i = 0; i < workload_.statement_count; ++i)
		for (int bit = 0; bit < workload_.statements[i].candidate_count; ++bit)
			uses_[first_use_[workload_.statements[i].candidates[bit] + 1]++] = {i, only(bit)};
}

void
Choice::list_tables(const Surroundings &surroundings) noexcept
{
	first_of_table_ = surroundings.zeroed<int>(workload_.table_count + 2);
	by_table_ = surroundings.zeroed<int>(workload_.candidate_count);
	for (int i = 0; i < workload_.candidate_count; ++i)
		++first_of_table_[workload_.candidates[i].table + 2];
	for (int i = 2; i < workload_.table_count + 2; ++i)
		first_of_table_[i] += first_of_table_[i - 1];
	for (int i = 0; i < workload_.candidate_count; ++i)
		by_table_[first_of_table_[workload_.candidates[i].table + 1]++] = i;
}

double
Choice::saving(int statement) const noexcept
{
	const BenefitGraph &graph = workload_.statements[statement].graph;
	const double before = graph.cost_without();
	const double after = graph.cost(available_[statement]);

	return improves(before, after) ? saving_between(statement, before, after) : 0;
}

double
Choice::table_charge(int table) const noexcept
{
	double entry_ms = 0;
	Set lost_hot = 0;

	for (const int candidate : of_table(table))
		if (chosen_[candidate])
		{
			entry_ms += workload_.candidates[candidate].entry_ms;
			lost_hot |= workload_.candidates[candidate].lost_hot;
		}
	return workload_.tables[table].charge_ms(entry_ms, lost_hot);
}

void
Choice::flip(int candidate) noexcept
{
	const Candidate &index = workload_.candidates[candidate];
	const int sign = chosen_[candidate] ? -1 : 1;

	chosen_[candidate] = !chosen_[candidate];
	sums_.count += sign;
	sums_.bytes += sign * index.bytes;
	sums_.charged_bytes += sign * index.charged_bytes;
	for (const Use &use : uses(candidate))
	{
		available_[use.statement] ^= use.bit;
		const double now = saving(use.statement);
		sums_.saving_ms += now - saving_[use.statement];
		saving_[use.statement] = now;
	}
	const double now = table_charge(index.table);
	sums_.write_ms += now - charge_[index.table];
	charge_[index.table] = now;
}

} // namespace remedy::index_advice
