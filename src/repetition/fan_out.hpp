// Fan-out: the rows of one statement, the parent, drive repeated executions of
// another, the child.  The decision rule over a stream of executions, in fixed
// memory, without server headers.
//
// A child execution is linked to a parent when one of its key values was among
// the parent's output values, in a column that is the key's own or tied to it by
// a foreign key.  The child is a finding of its unit of work when
//   - it is linked at least `threshold` times to one execution of the parent, or
//   - twice as often in all and at least twice per execution of the parent, or
//   - at least `threshold` times and the parent is itself a finding, or is the
//     child itself, by a foreign key and a key that is not unique: a walk down a tree.
// In each case with at least `threshold` different values (more than eight are not
// told apart), or with several that make up four fifths of the parent's rows: the
// same row asked for again and again is polling, not fan-out.

#pragma once

#include <cstdint>

#include "observe/clock.hpp"
#include "repetition/shapes.hpp"
#include "repetition/value_filter.hpp"

namespace remedy::repetition {

constexpr unsigned columns_per_parent = 8;
constexpr unsigned parent_limit = 8;
constexpr unsigned child_limit = 16;

enum class Tie : std::uint8_t
{
	none,
	by_value, // an output that is no column's, whose values are too long for a coincidence
	sibling,  // both reference the same third column
	same_column,
	foreign_key, // one references the other
};

// Tells how an output column is tied to a key's column.
using TieFinder = Tie (*)(Column key, Column output);

// Where the running statement stands in time.
struct Moment
{
	Nanoseconds now;
	Nanoseconds waiting; // since the end of the statement before
	bool in_block;
	std::uint32_t transaction;
	std::uint32_t watch; // number of the watched stretch; 0: none
};

struct Limits
{
	unsigned threshold;
	Nanoseconds burst_gap;   // outside explicit transactions, a longer pause ends the unit of work
	Nanoseconds parent_life; // how long after its end a parent may have children, but for a watched stretch
};

// A statement whose output is kept.
struct Parent
{
	std::uint64_t fingerprint; // 0: free
	std::uint32_t stamp;       // changes when the place is given to another
	std::uint32_t unit;
	std::uint32_t executions; // in the unit
	std::uint32_t proved_in;  // the unit in which a child was linked to it last
	std::uint64_t rows;       // of them all
	Nanoseconds began;        // the first
	Nanoseconds ended;        // the last
	std::uint8_t column_count;
	Column columns[columns_per_parent];
	std::int16_t outputs[columns_per_parent]; // their numbers in the result
	ValueFilter values;
};

// What one key of a child has to do with one parent.
struct Bond
{
	std::uint32_t stamp; // of the parent this is about
	std::uint32_t linked;
	std::uint32_t linked_to_last; // execution of the parent
	std::uint32_t last_execution;
	std::uint8_t tied;    // the parent's columns that are tied to the key, as bits
	std::uint8_t closest; // those of them with the closest tie
	Tie tie;              // that one
};

struct ChildKey
{
	static constexpr unsigned remembered = 8;

	std::uint32_t values[remembered]; // the first different ones, cut to 32 bits
	std::uint8_t different;           // how many, up to `remembered`
	bool varies;                      // from call to call, linked or not
	ValueHash first;
	Bond bonds[parent_limit];

	void remember(ValueHash value) noexcept;
};

// A statement that was linked in the unit of work.
struct Child
{
	std::uint64_t fingerprint; // 0: free
	std::uint32_t stamp;       // of this statement in this unit; never comes again
	std::uint32_t unit;
	std::uint32_t noted; // when last, as a count of notes
	std::uint32_t calls; // since the first linked one
	std::uint32_t linked;
	bool found;          // the rule held in this unit
	std::uint8_t key;    // of the finding
	std::uint8_t parent; // of the finding
	std::uint64_t parent_fingerprint;
	Nanoseconds last;
	Nanoseconds server;  // of all calls
	Nanoseconds waiting; // before all calls but the first
	ChildKey keys[keys_per_shape];

	// All calls are repeats when most of them are linked, otherwise the linked ones are.
	std::uint32_t repeats() const noexcept { return linked * 5 >= calls * 4 ? calls : linked; }
};

// An execution that is under way, as the rule sees it.
struct Execution
{
	std::uint64_t fingerprint; // 0: nothing to note
	unsigned key_count;
	ValueHash values[keys_per_shape];
	std::uint8_t parents[keys_per_shape];     // the places of parents that the key is linked to, as bits
	Bond bonds[keys_per_shape][parent_limit]; // how, where the child does not know it yet

	bool linked() const noexcept
	{
		unsigned any = 0;
		for (const std::uint8_t places : parents)
			any |= places;
		return any != 0;
	}
};

class FanOut
{
public:
	// Gives the running statement its unit of work; true when that is a new one.
	bool enter(const Moment &moment, const Limits &limits) noexcept
	{
		const bool same = goes_on(moment, limits);

		watch_ = moment.watch;
		in_block_ = moment.in_block;
		transaction_ = moment.transaction;
		unit_ += !same;
		return !same;
	}

	// The same for a statement that follows others of the unit, unless it begins a new
	// one: then nothing is changed, and the answer is false.  Whether it is in a block is
	// asked at the beginning of a transaction.
	template <class InBlock>
	bool follow(std::uint32_t transaction, Nanoseconds waiting, InBlock &&is_in_block, const Limits &limits) noexcept
	{
		if (transaction == transaction_)
			return true;
		if (in_block_ || waiting > limits.burst_gap || is_in_block())
			return false;
		transaction_ = transaction;
		return true;
	}

	std::uint32_t unit() const noexcept { return unit_; }
	bool in_block() const noexcept { return in_block_; }
	std::uint32_t transaction() const noexcept { return transaction_; }

	// The unit of work ends here, and what was returned in it concerns nobody any more.
	void cut() noexcept { cut_ = true; }

	// Whether the rule held for the statement in this unit.
	bool is_found(std::uint64_t fingerprint) const noexcept;

	// Whether the output of this very statement is kept.
	bool holds(std::uint64_t fingerprint) const noexcept;

	// Whether any statement's output is still of interest.
	bool any_parent(const Moment &moment, const Limits &limits) const noexcept
	{
		return last_parent_end_ != 0 &&
			   (moment.watch != 0 || last_parent_unit_ == unit_ || moment.now - last_parent_end_ <= limits.parent_life);
	}

	// Compares the key values with what earlier statements returned.
	Execution look_up(const Shape &shape, const ValueHash *values, const Moment &moment, const Limits &limits,
					  TieFinder tie) noexcept;

	// Notes an execution that ended well.  Null when it was linked to nothing, now
	// and before; otherwise the child it belongs to.
	Child *note(const Execution &execution, Nanoseconds now, Nanoseconds server, Nanoseconds waiting) noexcept;

	// Whether the rule holds for the child, which is then marked as found, with the
	// key and the parent for which it does.
	bool decide(Child &child, unsigned threshold) noexcept;

	// The parent that the child was linked to most often.
	const Parent &likeliest_parent(const Child &child) const noexcept;

	// The parent's place for an execution of a statement.  If it has none, the parent
	// that ended longest ago gives way, one without children first.
	Parent &hold(std::uint64_t fingerprint, const Moment &moment, const Limits &limits) noexcept;

	// The statement stands for something else from here on.
	void forget(std::uint64_t fingerprint) noexcept;

	// A run of the held parent ended well with this many rows.
	void release(Parent &parent, Nanoseconds now, std::uint64_t rows, bool first_run) noexcept;

	const Parent &parent_of(const Child &child) const noexcept { return parents_[child.parent]; }

	// Whether that is still the parent the child was found with: its place may have
	// been given to another since.
	bool has_parent(const Child &child) const noexcept
	{
		const Parent &parent = parents_[child.parent];
		return child.parent_fingerprint == parent.fingerprint &&
			   child.keys[child.key].bonds[child.parent].stamp == parent.stamp;
	}

	unsigned place_of(const Parent &parent) const noexcept { return static_cast<unsigned>(&parent - parents_); }
	unsigned place_of(const Child &child) const noexcept { return static_cast<unsigned>(&child - children_); }

	// The children of this unit of work: visit(child).
	template <class Visit>
	void each_child(Visit &&visit) noexcept
	{
		for (Child &child : children_)
			if (child.fingerprint != 0 && child.unit == unit_)
				visit(child);
	}

private:
	// Whether the unit of work of the statement before goes on.
	bool goes_on(const Moment &moment, const Limits &limits) noexcept
	{
		const bool is_cut = cut_ && moment.watch == 0;

		cut_ = false;
		if (is_cut)
			for (Parent &parent : parents_)
				parent.fingerprint = 0;
		if (unit_ == 0 || moment.watch != watch_ || is_cut)
			return false;
		if (moment.watch != 0)
			return true;
		if (moment.in_block || in_block_)
			return moment.in_block && in_block_ && moment.transaction == transaction_;
		return moment.waiting <= limits.burst_gap;
	}

	const Child *find_child(std::uint64_t fingerprint) const noexcept;
	Child *find_child(std::uint64_t fingerprint) noexcept;
	Parent &place_for(std::uint64_t fingerprint) noexcept;
	Child &add_child(std::uint64_t fingerprint) noexcept;
	Bond bond_of(const Shape &shape, unsigned key, const Parent &parent, TieFinder tie) const noexcept;
	bool preferred(const Child &child, unsigned key, unsigned place) const noexcept;
	bool alive(const Parent &parent, const Moment &moment, const Limits &limits) const noexcept;
	bool rule_holds(const Child &child, unsigned key, const Parent &parent, unsigned threshold) const noexcept;

	std::uint32_t unit_;
	bool in_block_;
	bool cut_;
	std::uint32_t transaction_;
	std::uint32_t watch_;
	std::uint32_t stamps_;
	std::uint32_t notes_;
	Nanoseconds last_parent_end_;
	std::uint32_t last_parent_unit_;
	Parent parents_[parent_limit];
	Child children_[child_limit];
};

} // namespace remedy::repetition
