#include "repetition/loops.hpp"

#include <algorithm>
#include <utility>

namespace remedy::repetition {

namespace {

constexpr unsigned patience = 64;         // looks at a statement in one stretch, or more if the limit is high
constexpr std::uint32_t interruption = 3; // statements between two calls of a loop
constexpr std::uint8_t trust = 8;         // transactions between two that are looked at closely

// Adds the value to those that are remembered; how many there are.
template <unsigned limit>
std::uint8_t
remember(std::uint32_t (&values)[limit], std::uint8_t count, ValueHash value) noexcept
{
	const std::uint32_t cut = static_cast<std::uint32_t>(value);

	if (count == limit || std::find(values, values + count, cut) != values + count)
		return count;
	values[count] = cut;
	return count + 1;
}

void
measure(Loop &loop, const Call &call) noexcept
{
	++loop.measured;
	loop.server += call.execution;
	loop.waiting += call.waiting;
}

bool
mostly(std::uint64_t part, std::uint64_t whole) noexcept
{
	return part * 5 >= whole * 4;
}

} // namespace

Loop *
Loops::note(const Call &call, unsigned limit, Nanoseconds long_pause) noexcept
{
	if (call.table == 0)
		return nullptr;
	Loop &loop = place_for(call);

	if (loop.running)
		measure(loop, call);
	if (loop.running || resume(loop))
		return &loop;
	if (is_interrupted(loop))
		begin(loop);
	count(loop, call, limit, long_pause);
	if (loop.calls < limit)
		return &loop;
	loop.kind = kind_of(loop, call, limit);
	if (loop.kind != LoopKind::none)
	{
		loop.in_transaction = is_in_one_transaction(loop);
		loop.may_be_bulk_load = loop.in_transaction && call.named && call.command == Command::insert;
		loop.running = true;
		if (loop.before != loop.kind)
			loop.stamp = ++stamps_;
		loop.found_at = limit;
		loop.reviewed = statements_;
		loop.repeats = loop.calls;
	}
	else if (loop.calls >= 3 * limit)
		begin(loop);
	return &loop;
}

// Something else has come between.
bool
Loops::is_interrupted(const Loop &loop) const noexcept
{
	const bool is_apart = statements_ - loop.last > interruption || (in_block_ && loop.transaction != transaction_);

	return is_apart && !is_in_one_transaction(loop) && !fills_chain(loop, 1);
}

// What was a loop in the transactions before is one in this, until it is looked at again.
bool
Loops::resume(Loop &loop) noexcept
{
	if (loop.kind == LoopKind::none)
		return false;
	const bool again = in_block_ && loop.trusted < trust;

	if (again)
	{
		++loop.trusted;
		loop.chain = chain_;
		loop.transaction = transaction_;
		loop.running = loop.resumed = true;
		loop.last = loop.reviewed = statements_;
		loop.repeats = 0;
	}
	else
	{
		const std::uint32_t stamp = loop.stamp;
		const LoopKind before = loop.kind;
		begin(loop);
		loop.before = before;
		loop.stamp = stamp;
	}
	return again;
}

void
Loops::count(Loop &loop, const Call &call, unsigned limit, Nanoseconds long_pause) noexcept
{
	if (loop.stretch != statements_ / stretch)
	{
		loop.stretch = statements_ / stretch;
		loop.looks = 0;
	}
	loop.seen_enough = ++loop.looks >= std::max(patience, 2 * limit);
	loop.last = statements_;
	++loop.calls;
	loop.slow += call.waiting > long_pause;
	loop.linked += call.linked;
	if (loop.calls * 2 > limit)
		measure(loop, call);
	if (call.key != 0 && loop.valued < UINT8_MAX)
	{
		++loop.valued;
		loop.different = remember(loop.keys, loop.different, call.key);
	}
	loop.kinds = call.values == 0 ? Loop::remembered_kinds : remember(loop.values, loop.kinds, call.values);
}

LoopKind
Loops::kind_of(const Loop &loop, const Call &call, unsigned limit) const noexcept
{
	const bool in_one_transaction = is_in_one_transaction(loop);
	const bool fills = fills_chain(loop, 0);
	const bool varied = loop.different > 0 && mostly(loop.different, std::min<unsigned>(loop.valued, Loop::remembered));

	if (!in_one_transaction && (loop.slow * 2u > loop.calls || !fills))
		return LoopKind::none;
	if (call.command == Command::insert)
		return call.one_row ? LoopKind::write : LoopKind::none;
	if (call.command != Command::select)
		return call.keyed && varied ? LoopKind::write : LoopKind::none;
	if (call.keyed && loop.kinds * limit <= loop.calls)
		return LoopKind::duplicate;
	if (call.unique && varied && fills && loop.linked * 2u < loop.calls)
		return LoopKind::lookup;
	return LoopKind::none;
}

// Whether the chain, since the loop began, is made of it and of what else goes to its table.
bool
Loops::fills_chain(const Loop &loop, unsigned more) const noexcept
{
	const std::uint32_t span = statements_ - loop.began + 1;
	std::uint64_t calls = more;

	for (const Loop &other : loops_)
		if (other.table == loop.table && (other.running || other.last >= loop.began))
			calls += std::min(other.calls, loop.calls);
	return mostly(calls, span);
}

bool
Loops::is_settled(std::uint64_t fingerprint) const noexcept
{
	const Loop *const loop = find(fingerprint);

	return loop != nullptr && loop->chain == chain_ &&
		   (loop->running || (loop->seen_enough && loop->stretch == statements_ / stretch));
}

bool
Loops::is_over(Loop &loop, std::uint64_t repeats) const noexcept
{
	constexpr std::uint32_t least = 64;
	const std::uint32_t span = statements_ - loop.reviewed;
	const std::uint32_t own = static_cast<std::uint32_t>(repeats) - loop.repeats;

	if (span < least)
		return false;
	loop.reviewed = statements_;
	loop.repeats = static_cast<std::uint32_t>(repeats);
	return own * 3 < span;
}

void
Loops::begin(Loop &loop) noexcept
{
	const Loop before = loop;

	loop = {};
	loop.fingerprint = before.fingerprint;
	loop.table = before.table;
	loop.looks = before.looks;
	loop.stretch = before.stretch;
	loop.last = statements_;
	loop.chain = chain_;
	loop.transaction = transaction_;
	loop.began = statements_;
}

// Its own; else a free one, one of an earlier chain, or the one that ran longest ago: one
// that is running only if all are.
Loop &
Loops::place_for(const Call &call) noexcept
{
	Loop *place = find(call.fingerprint);

	if (place != nullptr && (place->chain == chain_ || (place->kind != LoopKind::none && place->in_transaction)))
		return *place;
	if (place == nullptr)
	{
		const auto keep = [this](const Loop &loop) { return std::pair(loop.running, ~(statements_ - loop.last)); };
		place = std::min_element(loops_, loops_ + loop_limit,
								 [&](const Loop &one, const Loop &other) { return keep(one) < keep(other); });
		*place = {};
		place->fingerprint = call.fingerprint;
	}
	place->table = call.table;
	begin(*place);
	return *place;
}

const Loop *
Loops::find(std::uint64_t fingerprint) const noexcept
{
	for (const Loop &loop : loops_)
		if (loop.fingerprint == fingerprint)
			return &loop;
	return nullptr;
}

Loop *
Loops::find(std::uint64_t fingerprint) noexcept
{
	return const_cast<Loop *>(std::as_const(*this).find(fingerprint));
}

} // namespace remedy::repetition
