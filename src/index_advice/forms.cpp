#include "index_advice/forms.hpp"

#include "index_advice/form.hpp"
#include "index_advice/storage.hpp"

namespace remedy::index_advice {

namespace {

constexpr int most_predicates = 3;

class Forms
{
public:
	Forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept;
	bool propose() noexcept;

private:
	bool orders_by(const Condition &range) const noexcept;

	void propose_filters(const Picked &predicate, double promise) noexcept;
	void propose_order(const Picked &predicate, const Picked &equalities, double promise) noexcept;
	void propose_joins(const Picked &predicate, double promise) noexcept;
	void propose_partial() noexcept;
	void propose_with(const Picked &predicate) noexcept;
	void propose_predicate_key(const Picked &predicate, double promise) noexcept;
	void propose_singles() noexcept;
	void propose_searches() noexcept;
	void propose_arm(const Picked &arm) noexcept;
	void propose_arms() noexcept;

	const Scan &scan_;
	const Order &order_;
	Offers offers_;
	Picked equalities_ = {}; // values known before the scan
	Picked ranges_ = {};
	Picked joins_ = {};
	Picked recurring_ = {};
};

Forms::Forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept
	: scan_(scan), order_(order), offers_(scan, output)
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
}

bool
Forms::orders_by(const Condition &range) const noexcept
{
	return order_.part_count > 0 && range.part_count == 1 && order_.parts[0].text == range.parts[0].text &&
		   order_.parts[0].opclass == range.parts[0].opclass;
}

// The rows of each value of a list are in order, but not those of all of its values: these
// are told apart after the order.
void
Forms::propose_order(const Picked &predicate, const Picked &equalities, double promise) noexcept
{
	Form ordered = form_with(scan_.table, predicate);
	Picked lists = {};

	for (const Condition *const condition : equalities)
		if (condition->is_list)
			lists.add(*condition);
	ordered.add_equalities(without(equalities, lists));
	ordered.add_order(order_);
	for (const Condition *const list : lists)
		ordered.add_range(*list);
	offers_.put_and_cover(ordered, promise);
}

// Equalities first, then the order or one range.
void
Forms::propose_filters(const Picked &predicate, double promise) noexcept
{
	const Picked equalities = without(equalities_, predicate);
	const Picked ranges = without(ranges_, predicate);
	Form first = form_with(scan_.table, predicate);

	first.add_equalities(equalities);
	if (order_.part_count > 0)
		propose_order(predicate, equalities, promise + (order_.limited ? 10 : equalities.count > 0 ? 0 : -30));
	int rank = 0;
	for (const Condition *const range : ranges)
	{
		Form ranged = first;
		if (order_.limited && orders_by(*range))
			continue;
		ranged.add_range(*range);
		offers_.put_and_cover(ranged, promise - 5 * rank++);
	}
	if (equalities.count > 0)
		offers_.put_and_cover(first, promise - (ranges.count > 0 || order_.part_count > 0 ? 12 : 2) -
										 20 * share_of(equalities));
}

// The columns by which rows of one other table find theirs here, with the conditions and
// alone; those of all others together.
void
Forms::propose_joins(const Picked &predicate, double promise) noexcept
{
	const Picked equalities = without(equalities_, predicate);
	const Picked ranges = without(ranges_, predicate);
	Picked met = {};
	Form all = form_with(scan_.table, predicate);

	all.add_equalities(joins_);
	if (all.used.count > 1)
		offers_.put_and_cover(all, promise - 10);
	for (const Condition *const join : joins_)
	{
		if (met.has(join))
			continue;
		Form alone = form_with(scan_.table, predicate);
		Picked partner = {};
		for (const Condition *const other : joins_)
			if (bms_equal(other->partners, join->partners))
				partner.add(*other);
		met.add(partner);
		alone.add_equalities(partner);
		offers_.put_and_cover(alone, promise - 5);
		if (equalities.count > 0)
		{
			Form filtered = alone;
			filtered.add_equalities(equalities);
			offers_.put_and_cover(filtered, promise - 3);
		}
		for (const Condition *const range : ranges)
		{
			Form ranged = alone;
			ranged.add_equalities(equalities);
			ranged.add_range(*range);
			offers_.put_and_cover(ranged, promise - 8);
		}
	}
}

// Where nothing is left to look for within the rows of the predicate, its column is as good
// a key as any.
void
Forms::propose_predicate_key(const Picked &predicate, double promise) noexcept
{
	Form form = form_with(scan_.table, predicate);

	for (const Condition *const condition : predicate)
		if (condition->part_count > 0 && form.definition.part_count == 0)
			form.definition.parts[form.definition.part_count++] = condition->parts[0];
	offers_.put_and_cover(form, promise);
}

void
Forms::propose_with(const Picked &predicate) noexcept
{
	const double promise = 90 - 20 * share_of(predicate);

	propose_filters(predicate, promise);
	propose_joins(predicate, promise - 10);
	if (order_.part_count == 0 && without(equalities_, predicate).count == 0 && without(ranges_, predicate).count == 0)
		propose_predicate_key(predicate, promise - 5);
}

// All constants that recur in the predicate, and one of them, the others being keys.
void
Forms::propose_partial() noexcept
{
	if (recurring_.count > 0 && recurring_.count <= most_predicates)
		propose_with(recurring_);
	for (int i = 0; recurring_.count > 1 && i < std::min(recurring_.count, most_predicates); ++i)
	{
		Picked one = {};
		one.add(*recurring_.items[i]);
		propose_with(one);
	}
}

void
Forms::propose_singles() noexcept
{
	const Picked none = {};
	const auto propose_one = [&](const Condition &condition, double promise) noexcept {
		Form form = form_with(scan_.table, none);
		Picked one = {};
		one.add(condition);
		condition.role == Role::range ? form.add_range(condition) : form.add_equalities(one);
		offers_.put(form, promise - 10 * condition.selectivity);
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
	const Picked none = {};

	for (int i = 0; i < scan_.count; ++i)
	{
		const Condition &condition = scan_.conditions[i];
		const bool brin = condition.role == Role::range && condition.part_count == 1 && condition.parts[0].column > 0 &&
						  is_large_and_in_order(*scan_.rel, scan_.table.relation, condition.parts[0].column);
		if (condition.alternatives != 0 || (condition.role != Role::search && !brin))
			continue;
		Form form = form_with(scan_.table, none);
		form.add_search(condition, brin ? "brin" : condition.method);
		offers_.put(form, brin ? 60 : 90);
	}
}

// Each arm of an OR has an index of its own, so that their bitmaps can be united; with the
// conditions beside the OR first, and without.
void
Forms::propose_arm(const Picked &arm) noexcept
{
	const Picked none = {};
	Picked equalities = {}, ranges = {};
	const Condition *search = nullptr;

	for (const Condition *const condition : arm)
		if (condition->role == Role::equality)
			equalities.add(*condition);
		else if (condition->role == Role::range)
			ranges.add(*condition);
		else if (condition->role == Role::search)
			search = condition;
	const auto propose_after = [&](const Picked &first, double promise) noexcept {
		Form form = form_with(scan_.table, none);
		form.alternatives = arm.items[0]->alternatives;
		form.reasons = by_alternative;
		form.add_equalities(first);
		form.add_equalities(most_selective(equalities));
		if (ranges.count > 0)
			form.add_range(*most_selective(ranges).items[0]);
		if (form.definition.part_count == first.count && search != nullptr)
			form.add_search(*search, search->method);
		offers_.put(form, promise);
	};
	propose_after(none, 85);
	if (equalities_.count > 0 && equalities.count + ranges.count > 0)
		propose_after(equalities_, 80);
}

void
Forms::propose_arms() noexcept
{
	for (int first = 0, end; first < scan_.count; first = end)
	{
		const Condition &head = scan_.conditions[first];
		Picked arm = {};
		for (end = first; end < scan_.count && scan_.conditions[end].alternatives == head.alternatives &&
						  scan_.conditions[end].arm == head.arm;
			 ++end)
			arm.add(scan_.conditions[end]);
		if (head.alternatives != 0)
			propose_arm(arm);
	}
}

bool
Forms::propose() noexcept
{
	const Picked none = {};

	if (offers_.finds_one_row(equalities_))
		return false;
	propose_filters(none, 90);
	propose_joins(none, 85);
	propose_partial();
	propose_searches();
	propose_arms();
	propose_singles();
	return true;
}

} // namespace

bool
propose_forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept
{
	return Forms(scan, order, output).propose();
}

} // namespace remedy::index_advice
