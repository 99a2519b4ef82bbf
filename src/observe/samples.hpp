// Values that statements were run with, kept while pg_remedy.keep_values is on.
//
// Locking contract.  The region holds a fixed number of statements, each with a few
// samples.  They are written with the region's lock held exclusively and read with it
// held shared.  Who takes a sample is in a user's statement: it only tries the lock.
//
// Values are kept as the server holds them; nothing of them is looked up or printed in
// the statement that they are taken from.  They are not saved.

#pragma once

#include "observe/observe.hpp"
#include "observe/sampled_values.hpp"
#include "observe/settings.hpp"

namespace remedy::observe {

struct SampledStatement
{
	std::uint64_t fingerprint; // 0: free
	Oid database;
	std::int64_t sampled_at; // last
	Sample samples[samples_per_statement];
};

// From _PG_init.
void declare_samples() noexcept;

namespace detail {

void take_sample(const Statement &statement);
void forget_samples(const Scope &scope);

inline void
sample_run(const Statement &statement, bool first_run)
{
	if (unlikely(settings.keep_values) && first_run)
		take_sample(statement);
}

} // namespace detail

inline constexpr Listener samples_listener = {.ran = detail::sample_run, .reset = detail::forget_samples};

// The samples of this database's statement, the oldest first, in the current
// memory context; returns how many.  None while pg_remedy.keep_values is off here.
int copy_samples(std::uint64_t fingerprint, const Sample *&samples) noexcept;

// The statements of this database that have samples, likewise.
int copy_sampled_statements(const SampledStatement *&statements) noexcept;

// The value as the server's functions take it; false if it is not known.  A type that
// is not the server's own is looked up.
bool datum_of(const SampledValue &value, Datum &datum) noexcept;

} // namespace remedy::observe
