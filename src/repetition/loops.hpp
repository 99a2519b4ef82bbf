// Loops that show without a parent: one statement again and again, each time with
// another key, or each time with the same one.  The decision rules over a stream of
// executions, in fixed memory, without server headers.
//
// Statements make a chain for as long as no pause between them is longer than the burst
// gap; an explicit transaction is never cut by a pause, and a chain may hold many short
// ones: libraries wrap each save in a transaction of its own.  A statement is a loop
// when it ran at least as often as the limit says and
//   - lookup: it reads by a whole unique key, four fifths of the values are different,
//     and it and its like on the same table are four fifths of the chain meanwhile;
//   - duplicate: it reads by a key, and all its values are the same ones, ten times each;
//     four fifths of the chain, or all in one transaction;
//   - write: it inserts one row, or changes rows by a key of four fifths different
//     values; four fifths of the chain, or all in one transaction.
// Outside of one transaction half of the pauses before it must be short, compared with
// the burst gap: who waits between the repeats polls.

#pragma once

#include <cstdint>

#include "observe/clock.hpp"
#include "repetition/shapes.hpp"
#include "repetition/value_filter.hpp"

namespace remedy::repetition {

constexpr unsigned loop_limit = 16;
constexpr std::uint32_t stretch = 1024; // statements

enum class LoopKind : std::uint8_t
{
	none,
	lookup,
	duplicate,
	write,
};

// An execution that ended well.
struct Call
{
	std::uint64_t fingerprint;
	std::uint32_t table; // 0: it cannot loop
	Command command;
	bool one_row;
	bool keyed;       // it fixes a column to a value
	bool unique;      // its keys cover a unique index
	bool linked;      // to what another statement returned
	bool named;       // it has a name by which it can be executed again
	ValueHash key;    // of its keys; 0: unknown
	ValueHash values; // of all its values; 0: unknown
	Nanoseconds execution;
	Nanoseconds waiting;
};

// Where the chain stands, and what cuts it.
struct ChainMoment
{
	Nanoseconds waiting;
	bool in_block;
	std::uint32_t transaction;
	std::uint32_t watch;
};

struct Loop
{
	static constexpr unsigned remembered = 16;      // keys
	static constexpr unsigned remembered_kinds = 4; // with more than three it is no duplicate

	std::uint64_t fingerprint; // 0: free
	std::uint32_t stamp;       // of what it was found as, in this place; never comes again
	std::uint32_t chain;
	std::uint32_t table;
	std::uint32_t transaction; // in which it began
	std::uint32_t began;       // the how-manieth statement of the chain began it
	std::uint32_t calls;       // since then, until it is found
	std::uint32_t reviewed;    // the how-manieth statement was there when it was last reviewed
	std::uint32_t repeats;     // and how often it had run
	std::uint32_t last;        // the how-manieth statement ran it last
	std::uint32_t stretch;     // of statements, in which it was looked at
	std::uint32_t slow;        // calls after a long pause
	std::uint32_t linked;      // calls
	std::uint8_t valued;       // calls with a known key
	std::uint8_t different;    // keys, of those
	std::uint8_t kinds;        // different values as a whole, up to `remembered_kinds`
	std::uint16_t looks;       // in its stretch of statements
	bool seen_enough;          // there
	std::uint8_t trusted;      // transactions in which it was taken for what it was before
	LoopKind kind;             // none: not found
	LoopKind before;           // what it was under the same stamp
	bool in_transaction;       // found as one transaction's
	bool running;              // found, and its unit of work goes on
	std::uint32_t measured;    // calls in these times; those that warm up the caches are left out
	Nanoseconds server;        // of them
	Nanoseconds waiting;       // before them
	std::uint32_t found_at;    // calls that made it one
	bool may_be_bulk_load;     // found as one transaction's, an INSERT with a name
	bool resumed;              // running for what it was before
	std::uint32_t keys[remembered];
	std::uint32_t values[remembered_kinds];

	// Repeats of its unit of work when it begins to run.
	std::uint32_t first_repeats() const noexcept { return resumed ? 1 : calls; }
};

class Loops
{
public:
	// A statement passes by that needs no look; but one in a stretch gets one, and is not counted yet.
	bool pass() noexcept
	{
		if (begins_stretch())
			return false;
		++statements_;
		return true;
	}

	// The next statement is at hand.  Calls end(loop) for the loops that are over.
	template <class End>
	void enter(const ChainMoment &moment, Nanoseconds burst_gap, End &&end) noexcept
	{
		const bool same_transaction = moment.transaction == transaction_;
		const bool is_other = (cut_ && moment.watch == 0) || moment.watch != watch_;

		if (!goes_on(moment, burst_gap))
		{
			end_all(end);
			++chain_;
			if (is_other)
				trust_nothing();
		}
		else if (!same_transaction)
			end_transaction(end);
		++statements_;
		if (!same_transaction)
			transaction_began_ = statements_;
		watch_ = moment.watch;
		in_block_ = moment.in_block;
		transaction_ = moment.transaction;
	}

	// The chain is cut here, whatever the next statement is.
	void cut() noexcept { cut_ = true; }

	// Notes an execution; null when it cannot loop.  A loop that was found in an earlier
	// transaction is running again at once, for a while.
	Loop *note(const Call &call, unsigned limit, Nanoseconds long_pause) noexcept;

	// Whether nothing more is to be found out about the statement for now.
	bool is_settled(std::uint64_t fingerprint) const noexcept;

	bool is_running(std::uint64_t fingerprint) const noexcept
	{
		const Loop *const loop = find(fingerprint);
		return loop != nullptr && loop->running;
	}

	// Whether it repeats so often that its keys are worth a look.
	bool is_suspicious(std::uint64_t fingerprint) const noexcept
	{
		const Loop *const loop = find(fingerprint);
		return loop != nullptr && loop->calls >= 2;
	}

	// Whether the next statement is the first of many, among which nothing has to be
	// settled as it was before: so it has to be looked at.
	bool begins_stretch() const noexcept { return (statements_ + 1) % stretch == 0; }

	// Whether a running loop is over, though its chain goes on: what has run since it was
	// last reviewed is other statements for the most part.
	bool is_over(Loop &loop, std::uint64_t repeats) const noexcept;

	// The loop is one of a known parent, or was never one: nothing of it counts.
	template <class Drop>
	void forget(std::uint64_t fingerprint, Drop &&drop) noexcept
	{
		Loop *const loop = find(fingerprint);
		if (loop == nullptr)
			return;
		if (loop->running)
			drop(*loop);
		*loop = {};
	}

	// The running transaction was rolled back, and what it wrote with it.
	template <class Drop>
	void roll_back(Drop &&drop) noexcept
	{
		for (Loop &loop : loops_)
			if (loop.transaction == transaction_ && in_block_)
			{
				if (loop.running)
					drop(loop);
				loop = {};
			}
	}

	// A bulk load: an INSERT with a name, that nearly fills its transaction.
	bool is_bulk_load(const Loop &loop, std::uint64_t repeats) const noexcept
	{
		constexpr std::uint64_t least = 100;
		const std::uint64_t statements = std::uint64_t{statements_ - transaction_began_} + 1;
		return loop.may_be_bulk_load && repeats >= least && repeats * 10 >= statements * 9;
	}

	unsigned place_of(const Loop &loop) const noexcept { return static_cast<unsigned>(&loop - loops_); }

	template <class Visit>
	void each_running(Visit &&visit) noexcept
	{
		for (Loop &loop : loops_)
			if (loop.running)
				visit(loop);
	}

private:
	bool goes_on(const ChainMoment &moment, Nanoseconds burst_gap) noexcept
	{
		const bool was_cut = cut_ && moment.watch == 0;

		cut_ = false;
		if (was_cut || chain_ == 0 || moment.watch != watch_)
			return false;
		return moment.watch != 0 || (moment.in_block && in_block_ && moment.transaction == transaction_) ||
			   moment.waiting <= burst_gap;
	}

	// What the loops were is another request's.
	void trust_nothing() noexcept
	{
		for (Loop &loop : loops_)
			loop.kind = LoopKind::none;
	}

	template <class End>
	void end_all(End &&end) noexcept
	{
		for (Loop &loop : loops_)
			if (loop.running)
			{
				end(loop);
				loop.running = false;
			}
	}

	// The loops of one transaction are over with it.
	template <class End>
	void end_transaction(End &&end) noexcept
	{
		for (Loop &loop : loops_)
			if (loop.running && loop.in_transaction)
			{
				end(loop);
				loop.running = false;
			}
	}

	Loop *find(std::uint64_t fingerprint) noexcept;
	const Loop *find(std::uint64_t fingerprint) const noexcept;
	Loop &place_for(const Call &call) noexcept;
	void begin(Loop &loop) noexcept;
	bool resume(Loop &loop) noexcept;
	bool is_interrupted(const Loop &loop) const noexcept;
	void count(Loop &loop, const Call &call, unsigned limit, Nanoseconds long_pause) noexcept;
	LoopKind kind_of(const Loop &loop, const Call &call, unsigned limit) const noexcept;
	bool is_in_one_transaction(const Loop &loop) const noexcept
	{
		return in_block_ && loop.transaction == transaction_;
	}
	bool fills_chain(const Loop &loop, unsigned more) const noexcept;

	std::uint32_t statements_; // of all chains
	std::uint32_t chain_;
	std::uint32_t transaction_;
	std::uint32_t transaction_began_; // with the how-manieth statement
	std::uint32_t watch_;
	std::uint32_t stamps_;
	bool in_block_;
	bool cut_;
	Loop loops_[loop_limit];
};

} // namespace remedy::repetition
