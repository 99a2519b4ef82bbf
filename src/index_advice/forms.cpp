#include "index_advice/forms.hpp"

#include <algorithm>

#include "index_advice/storage.hpp"

extern "C" {
#include "access/sysattr.h"
}

namespace remedy::index_advice {

namespace {

constexpr int most_equalities = 5;
constexpr int most_conditions = 32;
constexpr int most_predicates = 3;

// Conditions by their use, as pointers into those of the scan.
struct Chosen
{
	const Condition *items[most_conditions];
	int count;

	void add(const Condition &condition) noexcept
	{
		if (count < most_conditions)
			items[count++] = &condition;
	}
	void add(const Chosen &others) noexcept
	{
		for (int i = 0; i < others.count; ++i)
			add(*others.items[i]);
	}
	bool has(const Condition *condition) const noexcept
	{
		return std::find(items, items + count, condition) != items + count;
	}
	const Condition *const *begin() const noexcept { return items; }
	const Condition *const *end() const noexcept { return items + count; }
};

Chosen
without(const Chosen &all, const Chosen &left_out) noexcept
{
	Chosen rest = {};

	for (const Condition *const condition : all)
		if (!left_out.has(condition))
			rest.add(*condition);
	return rest;
}

bool
has_part(const Definition &definition, const Part &part) noexcept
{
	for (int i = 0; i < definition.part_count; ++i)
		if (definition.parts[i].text == part.text && definition.parts[i].opclass == part.opclass)
			return true;
	return false;
}

// The most selective come first; what is alike, in the order of the table.
Chosen
most_selective(Chosen conditions) noexcept
{
	std::sort(conditions.items, conditions.items + conditions.count, [](const Condition *a, const Condition *b) {
		return a->selectivity != b->selectivity           ? a->selectivity < b->selectivity
			   : a->parts[0].column != b->parts[0].column ? a->parts[0].column < b->parts[0].column
														  : a < b;
	});
	return conditions;
}

// One table's forms.
class Forms
{
public:
	Forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept;
	void propose() noexcept;

private:
	// An index that is being put together.
	struct Form
	{
		Definition definition;
		Chosen used; // conditions that it answers
		const Chosen *predicate;
		unsigned reasons;
		int alternatives;
	};

	Form form_with(const Chosen &predicate) const noexcept;
	void add_equalities(Form &form, const Chosen &conditions) const noexcept;
	void add_range(Form &form, const Condition &range) const noexcept;
	void add_order(Form &form) const noexcept;
	void offer(Form form, double promise) noexcept;
	void offer_covering(const Form &form, double promise) noexcept;
	void put(const Form &form, double promise) noexcept;
	bool is_served(const Form &form) const noexcept;
	bool finds_one_row(const Chosen &conditions) const noexcept;
	bool orders_by(const Condition &range) const noexcept;

	void propose_filters(const Chosen &predicate, double promise) noexcept;
	void propose_joins(const Chosen &predicate, double promise) noexcept;
	void propose_predicate_key(const Chosen &predicate, double promise) noexcept;
	void propose_partial() noexcept;
	void propose_singles() noexcept;
	void propose_searches() noexcept;
	void propose_arms() noexcept;

	const Scan &scan_;
	const Order &order_;
	const Bitmapset *const output_;
	Chosen equalities_ = {}; // values known before the scan
	Chosen ranges_ = {};
	Chosen joins_ = {};
	Chosen recurring_ = {};
	ExistingIndex *existing_;
	int existing_count_;
};

Forms::Forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept
	: scan_(scan), order_(order), output_(output)
{
	for (int i = 0; i < scan.count; ++i)
	{
		const Condition &condition = scan.conditions[i];
		if (condition.alternatives != 0)
			continue;
		if (condition.recurs)
			recurring_.add(condition);
		if (condition.role == Role::equality)
			(condition.partners == nullptr ? equalities_ : joins_).add(condition);
		else if (condition.role == Role::range)
			ranges_.add(condition);
	}
	equalities_ = most_selective(equalities_);
	ranges_ = most_selective(ranges_);
	joins_ = most_selective(joins_);
	recurring_ = most_selective(recurring_);
	existing_count_ = existing_indexes(scan.table.relation, existing_);
}

Forms::Form
Forms::form_with(const Chosen &predicate) const noexcept
{
	Form form = {};
	List *clauses = NIL;

	form.predicate = &predicate;
	form.definition.relation = scan_.table.relation;
	form.definition.table = scan_.table.name;
	form.definition.method = "btree";
	form.definition.partitioned = scan_.table.partitioned;
	for (const Condition *const condition : predicate)
		clauses = lappend(clauses, condition->clause);
	form.definition.predicate = predicate_text(scan_.table, clauses);
	form.reasons = predicate.count > 0 ? is_partial : 0;
	return form;
}

void
Forms::add_equalities(Form &form, const Chosen &conditions) const noexcept
{
	Definition &definition = form.definition;

	for (const Condition *const condition : conditions)
	{
		if (has_part(definition, condition->parts[0]))
			continue;
		if (definition.part_count == most_equalities)
			break;
		definition.parts[definition.part_count++] = condition->parts[0];
		form.used.add(*condition);
		form.reasons |=
			(condition->partners == nullptr ? by_equality : by_join) | (condition->is_expression ? on_expression : 0);
	}
	definition.free_parts = definition.part_count;
}

void
Forms::add_range(Form &form, const Condition &range) const noexcept
{
	for (int i = 0; i < range.part_count && form.definition.part_count < parts_of_index; ++i)
		if (!has_part(form.definition, range.parts[i]))
			form.definition.parts[form.definition.part_count++] = range.parts[i];
	form.used.add(range);
	form.reasons |= by_range | (range.is_expression ? on_expression : 0);
}

void
Forms::add_order(Form &form) const noexcept
{
	for (int i = 0; i < order_.part_count && form.definition.part_count < parts_of_index; ++i)
		if (!has_part(form.definition, order_.parts[i]))
			form.definition.parts[form.definition.part_count++] = order_.parts[i];
	form.reasons |= by_order | (order_.is_expression ? on_expression : 0);
}

// ---- What needs no index ---------------------------------------------------------------

// Whether a unique index finds the one row that these conditions ask for.
bool
Forms::finds_one_row(const Chosen &conditions) const noexcept
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
Forms::is_served(const Form &form) const noexcept
{
	for (int i = 0; i < existing_count_; ++i)
		if (existing_[i].valid && serves(existing_[i].definition, form.definition))
			return true;
	return finds_one_row(form.used);
}

// ---- Offering --------------------------------------------------------------------------

void
Forms::put(const Form &form, double promise) noexcept
{
	Proposals &out = *scan_.out;

	if (form.definition.part_count == 0 || is_served(form))
		return;
	for (int i = 0; i < out.count; ++i)
		if (same(out.items[i].definition, form.definition))
		{
			out.items[i].reasons |= form.reasons;
			out.items[i].promise = std::max(out.items[i].promise, promise);
			return;
		}
	const Size size = (out.count + 1) * sizeof(Proposal);
	out.items = static_cast<Proposal *>(out.items == nullptr ? palloc(size) : repalloc(out.items, size));
	out.items[out.count++] = {form.definition, form.reasons, form.alternatives, promise};
}

// With the other columns that the query reads, where these are few and narrow.
void
Forms::offer_covering(const Form &form, double promise) noexcept
{
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
			!is_narrow(scan_.table.relation, number))
			return;
		covering.definition.includes[covering.definition.include_count++] = include_of(scan_.table, number);
	}
	if (covering.definition.include_count == 0)
		return;
	covering.reasons |= is_covering;
	put(covering, promise);
}

void
Forms::offer(Form form, double promise) noexcept
{
	put(form, promise);
	offer_covering(form, promise - 15);
}

// ---- The forms ---------------------------------------------------------------------------

bool
Forms::orders_by(const Condition &range) const noexcept
{
	return order_.part_count > 0 && range.part_count == 1 && order_.parts[0].text == range.parts[0].text &&
		   order_.parts[0].opclass == range.parts[0].opclass;
}

// Equalities first, then the order or one range.
void
Forms::propose_filters(const Chosen &predicate, double promise) noexcept
{
	const Chosen equalities = without(equalities_, predicate);
	const Chosen ranges = without(ranges_, predicate);
	Form first = form_with(predicate);

	add_equalities(first, equalities);
	if (order_.part_count > 0)
	{
		Form ordered = first;
		add_order(ordered);
		offer(ordered, promise + (order_.limited ? 10 : equalities.count > 0 ? 0 : -30));
	}
	int rank = 0;
	for (const Condition *const range : ranges)
	{
		Form ranged = first;
		if (order_.limited && orders_by(*range))
			continue;
		add_range(ranged, *range);
		offer(ranged, promise - 5 * rank++);
	}
	if (equalities.count > 0)
		offer(first, promise - (ranges.count > 0 || order_.part_count > 0 ? 12 : 2));
}

// The columns by which rows of one other table find theirs here, with the conditions and
// alone; those of all others together.
void
Forms::propose_joins(const Chosen &predicate, double promise) noexcept
{
	const Chosen equalities = without(equalities_, predicate);
	const Chosen ranges = without(ranges_, predicate);
	Chosen met = {};

	for (const Condition *const join : joins_)
	{
		if (met.has(join))
			continue;
		Form alone = form_with(predicate);
		Chosen partner = {};
		for (const Condition *const other : joins_)
			if (bms_equal(other->partners, join->partners))
				partner.add(*other);
		met.add(partner);
		add_equalities(alone, partner);
		offer(alone, promise - 5);
		if (equalities.count > 0)
		{
			Form filtered = alone;
			add_equalities(filtered, equalities);
			offer(filtered, promise - 3);
		}
		for (const Condition *const range : ranges)
		{
			Form ranged = alone;
			add_equalities(ranged, equalities);
			add_range(ranged, *range);
			offer(ranged, promise - 8);
		}
	}
}

// Where nothing is left to look for within the rows of the predicate, its column is as good
// a key as any.
void
Forms::propose_predicate_key(const Chosen &predicate, double promise) noexcept
{
	Form form = form_with(predicate);

	for (const Condition *const condition : predicate)
		if (condition->part_count > 0 && form.definition.part_count == 0)
			form.definition.parts[form.definition.part_count++] = condition->parts[0];
	offer(form, promise);
}

void
Forms::propose_partial() noexcept
{
	const auto propose_with = [&](const Chosen &predicate) noexcept {
		double share = 1;
		for (const Condition *const condition : predicate)
			share *= condition->selectivity;
		const double promise = 90 - 20 * share;
		propose_filters(predicate, promise);
		propose_joins(predicate, promise - 10);
		if (order_.part_count == 0 && without(equalities_, predicate).count == 0 &&
			without(ranges_, predicate).count == 0)
			propose_predicate_key(predicate, promise - 5);
	};

	if (recurring_.count == 0)
		return;
	// Predicates point at what they are made of, and forms at them.
	if (recurring_.count <= most_predicates)
		propose_with(recurring_);
	for (int i = 0; recurring_.count > 1 && i < std::min(recurring_.count, most_predicates); ++i)
	{
		Chosen one = {};
		one.add(*recurring_.items[i]);
		propose_with(one);
	}
}

void
Forms::propose_singles() noexcept
{
	const Chosen none = {};
	const auto propose_one = [&](const Condition &condition, double promise) noexcept {
		Form form = form_with(none);
		Chosen one = {};
		one.add(condition);
		condition.role == Role::range ? add_range(form, condition) : add_equalities(form, one);
		put(form, promise - 10 * condition.selectivity);
	};

	for (const Condition *const condition : equalities_)
		propose_one(*condition, 70);
	for (const Condition *const condition : ranges_)
		propose_one(*condition, 65);
	for (const Condition *const condition : joins_)
		propose_one(*condition, 68);
}

// One index each: GIN, GiST, and BRIN for ranges of large tables that are in order.
void
Forms::propose_searches() noexcept
{
	const Chosen none = {};

	for (int i = 0; i < scan_.count; ++i)
	{
		const Condition &condition = scan_.conditions[i];
		const bool brin = condition.role == Role::range && condition.part_count == 1 && condition.parts[0].column > 0 &&
						  is_large_and_in_order(*scan_.rel, scan_.table.relation, condition.parts[0].column);
		if (condition.alternatives != 0 || (condition.role != Role::search && !brin))
			continue;
		Form form = form_with(none);
		form.definition.method = brin ? "brin" : condition.method;
		form.definition.parts[form.definition.part_count++] = condition.parts[0];
		form.used.add(condition);
		form.reasons = (brin ? by_range : by_search) | (condition.is_expression ? on_expression : 0) |
					   (condition.partners != nullptr ? by_join : 0);
		put(form, brin ? 60 : 90);
	}
}

// Each arm of an OR has an index of its own, so that their bitmaps can be united.
void
Forms::propose_arms() noexcept
{
	const Chosen none = {};

	for (int first = 0; first < scan_.count;)
	{
		const Condition &head = scan_.conditions[first];
		Chosen equalities = {}, ranges = {};
		const Condition *search = nullptr;
		int end = first;
		for (; end < scan_.count && scan_.conditions[end].alternatives == head.alternatives &&
			   scan_.conditions[end].arm == head.arm;
			 ++end)
		{
			const Condition &condition = scan_.conditions[end];
			if (condition.role == Role::equality)
				equalities.add(condition);
			else if (condition.role == Role::range)
				ranges.add(condition);
			else if (condition.role == Role::search)
				search = &condition;
		}
		first = end;
		if (head.alternatives == 0)
			continue;
		Form arm = form_with(none);
		arm.alternatives = head.alternatives;
		arm.reasons = by_alternative;
		if (search != nullptr && equalities.count + ranges.count == 0)
		{
			arm.definition.method = search->method;
			arm.definition.parts[arm.definition.part_count++] = search->parts[0];
			arm.reasons |= by_search;
		}
		add_equalities(arm, most_selective(equalities));
		Form outer = arm;
		if (ranges.count > 0)
			add_range(arm, *most_selective(ranges).items[0]);
		put(arm, 85);
		if (equalities_.count > 0 && arm.definition.method == "btree")
		{
			outer = form_with(none);
			outer.alternatives = head.alternatives;
			outer.reasons = by_alternative;
			add_equalities(outer, equalities_);
			add_equalities(outer, most_selective(equalities));
			if (ranges.count > 0)
				add_range(outer, *most_selective(ranges).items[0]);
			put(outer, 80);
		}
	}
}

void
Forms::propose() noexcept
{
	const Chosen none = {};

	if (finds_one_row(equalities_))
		return;
	propose_filters(none, 90);
	propose_joins(none, 85);
	propose_partial();
	propose_searches();
	propose_arms();
	propose_singles();
}

} // namespace

void
propose_forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept
{
	Forms(scan, order, output).propose();
}

} // namespace remedy::index_advice
