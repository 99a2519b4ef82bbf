// Texts of queries that no client sent, those of functions, triggers and foreign keys:
// they have no statistics of their own unless that is asked for (pg_remedy.track), but can be
// planned again, if some room finds them worth it (keep_text_of() in observe.hpp).
//
// Locking contract.  The region holds a store of texts of its own, so that no text of a
// client's statement gives way to them.  Who has a text is in a user's statement and only
// tries the lock; readers hold it shared.

#pragma once

#include "observe/text_store.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

// From _PG_init.
void declare_nested_texts() noexcept;

constexpr unsigned nested_texts_limit = 256;

namespace detail {

extern server::Region nested_region;
extern TextStore *nested_texts;

} // namespace detail

// Calls read(texts) with the lock held.
template <class Read>
auto
with_nested_texts(Read &&read) noexcept
{
	detail::nested_region.acquire(LW_SHARED);
	const auto result = read(static_cast<const TextStore &>(*detail::nested_texts));
	detail::nested_region.release();
	return result;
}

} // namespace remedy::observe
