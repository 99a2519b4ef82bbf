// What becomes of a json document that is converted to jsonb.
//
// A judgement is a set of faults, none if the text stays as it is.  It is right for any text
// that is stored as json, whatever its size and depth, and costs about what the conversion
// costs; where it could not be sure (16 MB and more, 100 levels and more) it lets the server
// convert the document.  So for nesting it speaks of this session's max_stack_depth.

#pragma once

#include "server/headers.hpp"

namespace remedy::json_columns {

// From the worst to the mildest.
enum class Verdict : uint8
{
	rejected,  // jsonb refuses it
	lossy,     // something is lost that json functions show
	reprinted, // the same value in another text
	unchanged,
};
inline constexpr int verdict_count = 4;

// In the order of their verdicts.
enum class Fault : uint8
{
	// jsonb refuses the document; at most one of these is told, with none of the others.
	nul_escape,
	surrogate,
	untranslatable,
	numeric_range,
	nesting,
	size,
	invalid,
	// Lossy.
	duplicate_key,
	negative_zero,
	// Reprinted.
	key_order,
	escapes,
	exponent,
	white_space,
};
inline constexpr int fault_count = static_cast<int>(Fault::white_space) + 1;

using Faults = uint32; // 1 << fault

constexpr Faults
bit(Fault fault) noexcept
{
	return Faults{1} << static_cast<int>(fault);
}

constexpr Verdict
verdict_of(Fault fault) noexcept
{
	return fault < Fault::duplicate_key ? Verdict::rejected
		   : fault < Fault::key_order   ? Verdict::lossy
										: Verdict::reprinted;
}

constexpr Verdict
verdict_of(Faults faults) noexcept
{
	return faults == 0 ? Verdict::unchanged : verdict_of(static_cast<Fault>(__builtin_ctz(faults)));
}

const char *name_of(Verdict verdict) noexcept;
const char *name_of(Fault fault) noexcept;

// Plain data, kept from document to document, in the memory context in which it is made.
struct JudgeMemory;
JudgeMemory *make_judge_memory() noexcept;

// Raises no error but a cancel, and those of conflicts and shutdown.
Faults judge(const char *text, int length, JudgeMemory &memory) noexcept;

} // namespace remedy::json_columns
