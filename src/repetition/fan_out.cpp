#include "repetition/fan_out.hpp"

#include <algorithm>
#include <utility>

namespace remedy::repetition {

void
ChildKey::remember(ValueHash value) noexcept
{
	const std::uint32_t cut = static_cast<std::uint32_t>(value);

	if (different == remembered || std::find(values, values + different, cut) != values + different)
		return;
	values[different++] = cut;
}

// What a parent returned is of interest for as long as its own unit of work goes
// on, and for a while after.
bool
FanOut::alive(const Parent &parent, const Moment &moment, const Limits &limits) const noexcept
{
	return parent.fingerprint != 0 && parent.ended != 0 &&
		   (parent.unit == unit_ || parent.proved_in == unit_ ||
			(moment.watch == 0 && moment.now - parent.ended <= limits.parent_life));
}

bool
FanOut::holds(std::uint64_t fingerprint) const noexcept
{
	for (const Parent &parent : parents_)
		if (parent.fingerprint == fingerprint)
			return true;
	return false;
}

Execution
FanOut::look_up(const Shape &shape, const ValueHash *values, const Moment &moment, const Limits &limits,
				TieFinder tie) noexcept
{
	Execution execution = {};
	const Child *const child = find_child(shape.fingerprint);

	execution.fingerprint = shape.fingerprint;
	execution.key_count = shape.key_count;
	for (unsigned key = 0; key < shape.key_count; ++key)
	{
		execution.values[key] = values[key];
		for (unsigned place = 0; place < parent_limit && values[key] != 0; ++place)
		{
			Parent &parent = parents_[place];
			if (!alive(parent, moment, limits))
				continue;
			Bond &bond = execution.bonds[key][place];
			const Bond *const known = child == nullptr ? nullptr : &child->keys[key].bonds[place];
			bond = known != nullptr && known->stamp == parent.stamp ? *known : bond_of(shape, key, parent, tie);
			for (unsigned i = 0; i < parent.column_count; ++i)
				if ((bond.tied >> i & 1) != 0 && parent.values.contains(in_column(values[key], i)))
				{
					// From now on: the child itself may be held before it is noted.
					parent.proved_in = last_parent_unit_ = unit_;
					execution.parents[key] |= static_cast<std::uint8_t>(1u << place);
				}
		}
	}
	return execution;
}

Bond
FanOut::bond_of(const Shape &shape, unsigned key, const Parent &parent, TieFinder tie) const noexcept
{
	const bool itself = parent.fingerprint == shape.fingerprint;
	Bond bond = {parent.stamp, 0, 0, 0, 0, 0, Tie::none};

	// Up a tree, each step finds one row at most: no loop over rows.
	if (itself && (shape.unique_keys >> key & 1) != 0)
		return bond;
	for (unsigned i = 0; i < parent.column_count; ++i)
	{
		const Tie found = tie(shape.keys[key].column, parent.columns[i]);
		// A statement repeats its own key in its output: that is no step down a tree.
		if (found == Tie::none || (itself && (found == Tie::same_column || found == Tie::by_value)))
			continue;
		const std::uint8_t column = static_cast<std::uint8_t>(1u << i);
		bond.tied |= column;
		if (found > bond.tie)
			bond.closest = 0;
		bond.tie = std::max(bond.tie, found);
		if (found == bond.tie)
			bond.closest |= column;
	}
	return bond;
}

Child *
FanOut::note(const Execution &execution, Nanoseconds now, Nanoseconds server, Nanoseconds waiting) noexcept
{
	Child *child = find_child(execution.fingerprint);

	if (child == nullptr && !execution.linked())
		return nullptr;
	if (child == nullptr)
		child = &add_child(execution.fingerprint);
	child->last = now;
	child->noted = ++notes_;
	child->server += server;
	if (child->calls++ > 0)
		child->waiting += waiting;
	child->linked += execution.linked();
	for (unsigned key = 0; key < execution.key_count; ++key)
	{
		for (unsigned place = 0; place < parent_limit; ++place)
		{
			if ((execution.parents[key] >> place & 1) == 0)
				continue;
			const Parent &parent = parents_[place];
			Bond &bond = child->keys[key].bonds[place];
			if (bond.stamp != parent.stamp)
				bond = execution.bonds[key][place];
			if (bond.last_execution != parent.executions)
				bond.linked_to_last = 0;
			bond.last_execution = parent.executions;
			++bond.linked;
			++bond.linked_to_last;
		}
		if (child->calls == 1)
			child->keys[key].first = execution.values[key];
		child->keys[key].varies |= child->keys[key].first != execution.values[key];
		if (execution.parents[key] != 0)
			child->keys[key].remember(execution.values[key]);
	}
	return child;
}

bool
FanOut::decide(Child &child, unsigned threshold) noexcept
{
	child.found = false;
	for (unsigned key = 0; key < keys_per_shape; ++key)
		for (unsigned place = 0; place < parent_limit; ++place)
		{
			const Parent &parent = parents_[place];
			if (child.keys[key].bonds[place].stamp != parent.stamp || !rule_holds(child, key, parent, threshold))
				continue;
			if (child.found && !preferred(child, key, place))
				continue;
			child.found = true;
			child.key = static_cast<std::uint8_t>(key);
			child.parent = static_cast<std::uint8_t>(place);
			child.parent_fingerprint = parent.fingerprint;
		}
	return child.found;
}

// Of several parents that returned the values, one whose column the key references,
// or the reverse, before one that has the key's own column, and that before a mere
// sibling; another statement before the child itself; by a key with more different
// values; the one with more children; the later one.
bool
FanOut::preferred(const Child &child, unsigned key, unsigned place) const noexcept
{
	const Bond &bond = child.keys[key].bonds[place];
	const Bond &chosen = child.keys[child.key].bonds[child.parent];
	const Parent &parent = parents_[place];
	const Parent &chosen_parent = parents_[child.parent];
	const bool itself = parent.fingerprint == child.fingerprint;

	if (bond.tie != chosen.tie)
		return bond.tie > chosen.tie;
	if (itself != (chosen_parent.fingerprint == child.fingerprint))
		return !itself;
	if (child.keys[key].different != child.keys[child.key].different)
		return child.keys[key].different > child.keys[child.key].different;
	if (bond.linked != chosen.linked)
		return bond.linked > chosen.linked;
	return parent.ended > chosen_parent.ended;
}

bool
FanOut::rule_holds(const Child &child, unsigned key, const Parent &parent, unsigned threshold) const noexcept
{
	const ChildKey &child_key = child.keys[key];
	const Bond &bond = child_key.bonds[place_of(parent)];
	const bool each_row_once = child_key.different >= 2 && bond.linked * 5 >= parent.rows * 4;
	const bool walks_itself = parent.fingerprint == child.fingerprint;

	if (bond.linked < threshold)
		return false;
	if (child_key.different < std::min(threshold, ChildKey::remembered) && !each_row_once)
		return false;
	return walks_itself || bond.linked_to_last >= threshold ||
		   (bond.linked >= 2 * threshold && bond.linked >= 2 * parent.executions) || is_found(parent.fingerprint);
}

const Parent &
FanOut::likeliest_parent(const Child &child) const noexcept
{
	const Parent *likeliest = parents_;
	std::uint32_t most = 0;

	for (const ChildKey &key : child.keys)
		for (const Parent &parent : parents_)
		{
			const Bond &bond = key.bonds[place_of(parent)];
			if (bond.stamp != parent.stamp || bond.linked <= most)
				continue;
			most = bond.linked;
			likeliest = &parent;
		}
	return *likeliest;
}

Parent &
FanOut::hold(std::uint64_t fingerprint, const Moment &moment, const Limits &limits) noexcept
{
	Parent &parent = place_for(fingerprint);
	// A burst may go on for ever; what a statement returned a while ago must not pile
	// up until it holds whatever is asked for.
	const bool piles_up = moment.watch == 0 && !moment.in_block && moment.now - parent.began > limits.parent_life;

	if (parent.fingerprint == fingerprint && parent.unit == unit_ && !piles_up)
		return parent;
	parent.values.clear();
	parent.fingerprint = fingerprint;
	parent.stamp = ++stamps_;
	parent.unit = unit_;
	parent.executions = 0;
	parent.proved_in = 0;
	parent.rows = 0;
	parent.began = moment.now;
	parent.ended = 0;
	parent.column_count = 0;
	return parent;
}

Parent &
FanOut::place_for(std::uint64_t fingerprint) noexcept
{
	Parent *choice = parents_;

	for (Parent &parent : parents_)
	{
		if (parent.fingerprint == fingerprint)
			return parent;
		const bool needed = parent.proved_in == unit_;
		const bool choice_needed = choice->proved_in == unit_;
		if (needed == choice_needed ? parent.ended < choice->ended : choice_needed)
			choice = &parent;
	}
	return *choice;
}

void
FanOut::forget(std::uint64_t fingerprint) noexcept
{
	for (Parent &parent : parents_)
		if (parent.fingerprint == fingerprint)
		{
			parent.fingerprint = 0;
			parent.stamp = ++stamps_; // of no child's bond
		}
	if (Child *const child = find_child(fingerprint))
		*child = {};
}

void
FanOut::release(Parent &parent, Nanoseconds now, std::uint64_t rows, bool first_run) noexcept
{
	parent.executions += first_run;
	parent.rows += rows;
	parent.ended = now;
	last_parent_end_ = now;
	last_parent_unit_ = parent.unit;
}

bool
FanOut::is_found(std::uint64_t fingerprint) const noexcept
{
	const Child *const child = find_child(fingerprint);

	return child != nullptr && child->found;
}

const Child *
FanOut::find_child(std::uint64_t fingerprint) const noexcept
{
	for (const Child &child : children_)
		if (child.fingerprint == fingerprint && child.unit == unit_)
			return &child;
	return nullptr;
}

Child *
FanOut::find_child(std::uint64_t fingerprint) noexcept
{
	return const_cast<Child *>(std::as_const(*this).find_child(fingerprint));
}

// A free place, one of an earlier unit, that of the child that has not repeated for
// long, or else of the one with the least to lose, the newest of them: with more
// children in turn than places, most places must stay with whom they are.
Child &
FanOut::add_child(std::uint64_t fingerprint) noexcept
{
	constexpr std::uint32_t long_ago = 4 * child_limit;
	Child *oldest = children_;
	Child *least = children_;

	for (Child &child : children_)
	{
		if (child.fingerprint == 0 || child.unit != unit_)
		{
			oldest = &child;
			break;
		}
		if (child.noted < oldest->noted)
			oldest = &child;
		if (child.linked < least->linked || (child.linked == least->linked && child.noted > least->noted))
			least = &child;
	}
	if (oldest->unit == unit_ && oldest->fingerprint != 0 && notes_ - oldest->noted < long_ago)
		oldest = least;
	*oldest = {};
	oldest->fingerprint = fingerprint;
	oldest->stamp = ++stamps_;
	oldest->unit = unit_;
	return *oldest;
}

} // namespace remedy::repetition
