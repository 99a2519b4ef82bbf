#include "index_advice/variants.hpp"

#include "index_advice/representative_values.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace remedy::index_advice {

namespace {

// A place that values of several conditions may come from.
struct Slot
{
	int parameter;                  // 0: a constant
	Node *value;                    // a Param, or the Const of the text
	bool written_once;              // of the text's constant nothing is known, so it is one of several
	Const *values[frequency_count]; // null: not known
};

struct Slots
{
	Slot *slots;
	int count;
};

int
parameter_of(const Node *value) noexcept
{
	return IsA(value, Param) ? reinterpret_cast<const Param *>(value)->paramid : 0;
}

bool
is_same(const Node *one, const Node *other) noexcept
{
	if (parameter_of(one) != 0 || parameter_of(other) != 0)
		return parameter_of(one) == parameter_of(other);
	return reinterpret_cast<const Const *>(one)->location == reinterpret_cast<const Const *>(other)->location;
}

Slot *
slot_for(Slots &slots, Node *value) noexcept
{
	for (Slot *each = slots.slots; each < slots.slots + slots.count; ++each)
		if (is_same(each->value, value))
			return each;
	Slot *const added = &slots.slots[slots.count++];
	*added = {parameter_of(value), value, false, {}};
	return added;
}

Recurrence
recurrence_of(const Tie &tie, const ConstantEvidence &evidence) noexcept
{
	const AttrNumber column = IsA(tie.column, Var) ? reinterpret_cast<const Var *>(tie.column)->varattno : 0;

	if (evidence.recurrence == nullptr)
		return Recurrence::unknown;
	return evidence.recurrence(tie.relation, column, tie.operation, reinterpret_cast<const Const *>(tie.value),
							   evidence.context);
}

void
fill(Slot &slot, const Tie &tie, StatisticsReader &reader) noexcept
{
	if (slot.values[0] != nullptr)
		return;
	const Representatives found = representatives_of(tie, reader);
	for (int i = 0; i < frequency_count; ++i)
		slot.values[i] = found.values[i];
}

enum class Choice
{
	stays,        // what it is
	replaced,     // by values of the statistics
	written_once, // replaced, but nothing is known of the text's constant: it is one value of several
};

// In a statement with parameters, what is no parameter is its author's constant.
Choice
choice_for(const Ties &ties, const Tie &tie, int parameter_count, const ConstantEvidence &evidence) noexcept
{
	if (!IsA(tie.value, Const))
		return list_member_int(ties.exposed, parameter_of(tie.value)) ? Choice::stays : Choice::replaced;
	switch (recurrence_of(tie, evidence))
	{
	case Recurrence::recurs:
		return Choice::stays;
	case Recurrence::varies:
		return Choice::replaced;
	default:
		return parameter_count > 0 ? Choice::stays : Choice::written_once;
	}
}

Slots
find_slots(const Query *query, int parameter_count, const ConstantEvidence &evidence) noexcept
{
	const Ties ties = find_ties(query);
	Slots slots = {static_cast<Slot *>(palloc((ties.count + 1) * sizeof(Slot))), 0};
	Choice *const choices = static_cast<Choice *>(palloc((ties.count + 1) * sizeof(Choice)));
	StatisticsReader reader;

	for (int i = 0; i < ties.count; ++i)
		choices[i] = choice_for(ties, ties.ties[i], parameter_count, evidence);
	for (int i = 0; i < ties.count; ++i)
	{
		Tie &tie = ties.ties[i];
		if (choices[i] == Choice::stays)
			continue;
		if (tie.partner >= 0 && choices[tie.partner] == Choice::stays)
			tie.partner = -1;
		Slot *const slot = slot_for(slots, tie.value);
		slot->written_once |= choices[i] == Choice::written_once;
		fill(*slot, tie, reader);
	}
	return slots;
}

// ---- A variant -------------------------------------------------------------------

struct Replacement
{
	const Slots *slots;
	int which;
};

Node *
replace(Node *node, void *context)
{
	const Replacement &replacement = *static_cast<Replacement *>(context);

	if (node == nullptr)
		return nullptr;
	if (IsA(node, Query))
		return reinterpret_cast<Node *>(server::mutate_query(reinterpret_cast<Query *>(node), replace, context));
	if (!IsA(node, Const))
		return server::mutate_expression(node, replace, context);
	Const *const copy = static_cast<Const *>(copyObjectImpl(node));
	for (const Slot *slot = replacement.slots->slots; slot < replacement.slots->slots + replacement.slots->count;
		 ++slot)
		if (slot->parameter == 0 && is_same(slot->value, node) && slot->values[replacement.which] != nullptr)
			copy->constvalue = slot->values[replacement.which]->constvalue;
	return reinterpret_cast<Node *>(copy);
}

bool
has_constant(const Slots &slots) noexcept
{
	for (int i = 0; i < slots.count; ++i)
		if (slots.slots[i].parameter == 0)
			return true;
	return false;
}

ParamListInfo
values_of(const Slots &slots, int which, int parameter_count) noexcept
{
	const ParamListInfo list = makeParamList(parameter_count);

	memset(list->params, 0, parameter_count * sizeof(ParamExternData));
	for (int i = 0; i < slots.count; ++i)
	{
		const Slot &slot = slots.slots[i];
		if (slot.parameter > 0 && slot.parameter <= parameter_count && slot.values[which] != nullptr)
			list->params[slot.parameter - 1] = {slot.values[which]->constvalue, false, PARAM_FLAG_CONST,
												exprType(slot.value)};
	}
	return list;
}

Variant
variant_of(const Query *query, const Slots &slots, int which, int parameter_count) noexcept
{
	Replacement replacement = {&slots, which};
	Query *const chosen = has_constant(slots) ? server::mutate_query(const_cast<Query *>(query), replace, &replacement)
											  : const_cast<Query *>(query);

	return {chosen, values_of(slots, which, parameter_count), 1};
}

bool
is_told(const ObservedRun &run, int parameter) noexcept
{
	return run.values != nullptr && parameter < run.values->numParams &&
		   OidIsValid(run.values->params[parameter].ptype) && !run.values->params[parameter].isnull;
}

bool
tells(const ObservedRun &run, int parameter_count) noexcept
{
	for (int i = 0; i < parameter_count; ++i)
		if (is_told(run, i))
			return true;
	return run.query != nullptr;
}

// What the run does not tell is taken from the statistics.
Variant
variant_of(const Query *query, const ObservedRun &run, const Slots &slots, int parameter_count) noexcept
{
	const ParamListInfo list = values_of(slots, static_cast<int>(Frequency::middle), parameter_count);

	for (int i = 0; i < parameter_count; ++i)
		if (is_told(run, i))
		{
			list->params[i] = run.values->params[i];
			list->params[i].pflags = PARAM_FLAG_CONST;
		}
	return {const_cast<Query *>(run.query == nullptr ? query : run.query), list, 1};
}

bool
has_equal_values(const Slots &slots, int one, int other) noexcept
{
	for (int i = 0; i < slots.count; ++i)
	{
		const Const *const a = slots.slots[i].values[one];
		const Const *const b = slots.slots[i].values[other];
		if ((a == nullptr) != (b == nullptr))
			return false;
		if (a != nullptr && !datumIsEqual(a->constvalue, b->constvalue, a->constbyval, a->constlen))
			return false;
	}
	return true;
}

bool
is_written_once(const Slots &slots) noexcept
{
	for (int i = 0; i < slots.count; ++i)
		if (slots.slots[i].written_once)
			return true;
	return false;
}

// Without runs a middle value is the most likely one; a run counts as much as all that is
// made up.
constexpr double shares[frequency_count] = {0.25, 0.5, 0.25};

// Adds what the statistics give to the observed ones, each set of values once.
int
add_made_up(const Query *query, int parameter_count, const Slots &slots, int observed,
			Variant (&variants)[variant_limit]) noexcept
{
	int from[variant_limit], count = observed;

	if (observed > 0 && has_equal_values(slots, 0, 1) && has_equal_values(slots, 0, 2))
		return observed;
	for (int which = observed; which < frequency_count; ++which)
	{
		int same = observed;
		while (same < count && !has_equal_values(slots, from[same], which))
			++same;
		if (same == count)
		{
			from[count] = which;
			variants[count] = variant_of(query, slots, which, parameter_count);
			variants[count++].weight = 0;
		}
		variants[same].weight += shares[which];
	}
	return count;
}

} // namespace

int
make_variants(const Query *query, int parameter_count, const ObservedRun *runs, int run_count,
			  const ConstantEvidence &evidence, Variant (&variants)[variant_limit]) noexcept
{
	const Slots slots = find_slots(query, parameter_count, evidence);
	int count = 0;
	double sum = 0;

	for (int i = 0; i < run_count && count < variant_limit; ++i)
		if (tells(runs[i], parameter_count))
			variants[count++] = variant_of(query, runs[i], slots, parameter_count);
	if (count == 0 && is_written_once(slots))
		variants[count++] = variant_of(query, {query, nullptr}, slots, parameter_count);
	count = add_made_up(query, parameter_count, slots, count, variants);
	for (int i = 0; i < count; ++i)
		sum += variants[i].weight;
	for (int i = 0; i < count; ++i)
		variants[i].weight /= sum;
	return count;
}

namespace {

struct PlaceOfQuery
{
	int place; // among the queries of its statement
	const Query *query;
};

void
take_query(const observe::Analysed &analysed, void *context)
{
	PlaceOfQuery &wanted = *static_cast<PlaceOfQuery *>(context);

	if (wanted.place < list_length(analysed.queries))
		wanted.query = list_nth_node(Query, analysed.queries, wanted.place);
}

int
place_of(const Query *query, const List *queries) noexcept
{
	const ListCell *cell;

	foreach (cell, queries)
		if (lfirst(cell) == query)
			return foreach_current_index(cell);
	return list_length(queries);
}

} // namespace

int
make_variants(const observe::Replannable &form, const observe::Analysed &analysed, const Query *query,
			  const ConstantEvidence &evidence, Variant (&variants)[variant_limit]) noexcept
{
	ObservedRun runs[observe::samples_per_statement];
	int count = 0;

	for (int i = form.sample_count - 1; i >= 0; --i)
	{
		const observe::Sample &sample = form.samples[i];
		PlaceOfQuery other = {place_of(query, analysed.queries), nullptr};
		// A sample may be another user's, of whose words the form's surroundings make nothing.
		if (sample.is_text() && !attempt([&]() noexcept { observe::analyse_again(form, &sample, take_query, &other); }))
			continue;
		runs[count++] = {other.query, sample.is_text() ? nullptr : observe::values_of(sample, analysed)};
	}
	return make_variants(query, analysed.parameter_count, runs, count, evidence, variants);
}

} // namespace remedy::index_advice
