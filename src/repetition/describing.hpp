// From what the detector knows to a finding: names, texts, and what one batch would be.
//
// All of these look things up in the catalogs and may raise an error.

#pragma once

#include "findings/finding_table.hpp"
#include "observe/query_text.hpp"
#include "repetition/fan_out.hpp"
#include "repetition/loops.hpp"
#include "repetition/shared_parents.hpp"

namespace remedy::repetition {

// A query that ran again and again inside one statement.
struct NestedLoop
{
	std::uint64_t statement; // the fingerprint of the client's,
	std::uint64_t fingerprint;
	Oid table;
	bool writes;
	observe::RawText text; // of the query
	std::uint64_t runs;
};

void describe(const FanOut &fan_out, const Shape &shape, const Child &child, findings::Finding &finding) noexcept;
void describe(const Shape &shape, const PoolLink &link, const PoolLoop &loop, findings::Finding &finding) noexcept;
void describe(const Shape &shape, const Loop &loop, findings::Finding &finding) noexcept;
void describe(const NestedLoop &loop, findings::Finding &finding) noexcept;

// The keys that are not the same in all repeats, as bits.
unsigned varying_keys(const Shape &shape, const Child &child) noexcept;
unsigned varying_keys(const Loop &loop) noexcept;

// Once in the life of a finding: it takes as long as some statements do.  What is asked for
// the same again, with no key that varies, needs no batch.
void add_batch(const Shape &shape, unsigned varying, findings::Finding &finding) noexcept;

} // namespace remedy::repetition
