#include "index_advice/form.hpp"

#include "index_advice/storage.hpp"

extern "C" {
#include "access/sysattr.h"
}

namespace remedy::index_advice {

namespace {

constexpr int most_equalities = 5;

bool
has_part(const Definition &definition, const Part &part) noexcept
{
	for (int i = 0; i < definition.part_count; ++i)
		if (definition.parts[i].text == part.text && definition.parts[i].opclass == part.opclass)
			return true;
	return false;
}

} // namespace

Form
form_with(const Table &table, const Picked &predicate) noexcept
{
	Form form = {};
	List *clauses = NIL;

	form.predicate = &predicate;
	form.definition.relation = table.relation;
	form.definition.table = table.name;
	form.definition.method = "btree";
	form.definition.partitioned = table.partitioned;
	for (const Condition *const condition : predicate)
	{
		clauses = lappend(clauses, condition->clause);
		form.columns = bms_add_members(form.columns, condition->columns);
	}
	form.definition.predicate = predicate_text(table, clauses);
	form.reasons = predicate.count > 0 ? is_partial : 0;
	return form;
}

void
Form::use(const Condition &condition) noexcept
{
	used.add(condition);
	columns = bms_union(columns, condition.columns); // the set before may be another form's too
}

void
Form::add_equalities(const Picked &conditions) noexcept
{
	for (const Condition *const condition : conditions)
	{
		if (has_part(definition, condition->parts[0]))
			continue;
		if (definition.part_count == most_equalities)
			break;
		definition.parts[definition.part_count++] = condition->parts[0];
		use(*condition);
		reasons |=
			(condition->partners == nullptr ? by_equality : by_join) | (condition->is_expression ? on_expression : 0);
	}
	definition.free_parts = definition.part_count;
}

void
Form::add_range(const Condition &range) noexcept
{
	for (int i = 0; i < range.part_count && definition.part_count < parts_of_index; ++i)
		if (!has_part(definition, range.parts[i]))
			definition.parts[definition.part_count++] = range.parts[i];
	use(range);
	reasons |= (range.role == Role::range ? by_range : by_equality) | (range.is_expression ? on_expression : 0);
}

void
Form::add_search(const Condition &search, const char *method) noexcept
{
	definition.method = method;
	definition.parts[definition.part_count++] = search.parts[0];
	use(search);
	reasons |= (search.role == Role::search ? by_search : by_range) | (search.partners != nullptr ? by_join : 0) |
			   (search.is_expression ? on_expression : 0);
}

void
Form::add_order(const Order &order) noexcept
{
	for (int i = 0; i < order.part_count && definition.part_count < parts_of_index; ++i)
		if (!has_part(definition, order.parts[i]))
			definition.parts[definition.part_count++] = order.parts[i];
	columns = bms_union(columns, order.columns);
	reasons |= by_order | (order.is_expression ? on_expression : 0);
}

Offers::Offers(const Scan &scan, const Bitmapset *output) noexcept : scan_(scan), output_(output)
{
	existing_count_ = existing_indexes(scan.table.relation, existing_);
}

bool
Offers::finds_one_row(const Picked &conditions) const noexcept
{
	for (int i = 0; i < existing_count_; ++i)
	{
		const ExistingIndex &index = existing_[i];
		bool all = index.valid && index.unique && index.definition.predicate.empty();
		for (int key = 0; all && key < index.definition.part_count; ++key)
			all = std::any_of(conditions.begin(), conditions.end(), [&](const Condition *condition) {
				return condition->finds_one && condition->parts[0].text == index.definition.parts[key].text;
			});
		if (all)
			return true;
	}
	return false;
}

bool
Offers::is_served(const Form &form) const noexcept
{
	for (int i = 0; i < existing_count_; ++i)
		if (existing_[i].valid && serves(existing_[i].definition, form.definition))
			return true;
	return finds_one_row(form.used);
}

void
Offers::put(const Form &form, double promise) noexcept
{
	Proposals &out = *scan_.out;

	if (form.definition.part_count == 0 || is_served(form))
		return;
	for (int i = 0; i < out.count; ++i)
		if (same(out.items[i].definition, form.definition))
		{
			int &free_parts = out.items[i].definition.free_parts;
			free_parts = std::min(free_parts, form.definition.free_parts);
			out.items[i].reasons |= form.reasons;
			out.items[i].promise = std::max(out.items[i].promise, promise);
			return;
		}
	const Size size = (out.count + 1) * sizeof(Proposal);
	out.items = static_cast<Proposal *>(out.items == nullptr ? palloc(size) : repalloc(out.items, size));
	out.items[out.count++] = {form.definition, form.reasons, form.alternatives, form.columns, promise};
}

void
Offers::put_and_cover(const Form &form, double promise) noexcept
{
	put(form, promise);
	Form covering = form;
	Bitmapset *needed = bms_copy(output_);
	int column = -1;

	for (int i = 0; i < scan_.count; ++i)
		if (!form.predicate->has(&scan_.conditions[i]))
			needed = bms_add_members(needed, scan_.conditions[i].columns);
	while ((column = bms_next_member(needed, column)) >= 0)
	{
		const AttrNumber number = column + FirstLowInvalidHeapAttributeNumber;
		const Part *const parts = form.definition.parts;
		if (std::any_of(parts, parts + form.definition.part_count,
						[&](const Part &part) { return part.column == number && part.opclass.empty(); }))
			continue;
		if (number <= 0 || covering.definition.include_count == most_includes ||
			!is_narrow(*scan_.rel, scan_.table.relation, number))
			return;
		covering.columns = bms_add_member(bms_copy(covering.columns), column);
		covering.definition.includes[covering.definition.include_count++] = include_of(scan_.table, number);
	}
	if (covering.definition.include_count == 0)
		return;
	covering.reasons |= is_covering;
	put(covering, promise - 15);
}

} // namespace remedy::index_advice
