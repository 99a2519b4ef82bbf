#include "repetition/hints.hpp"

#include <atomic>

#include "server/shared.hpp"

namespace remedy::repetition {

namespace {

constexpr unsigned hint_limit = 4096;
using Hint = std::atomic<std::uint64_t>;
Hint *hints = nullptr;

server::Region region = {"pg_remedy parent hints", [](int) -> Size { return hint_limit * sizeof(Hint); },
						 [](void *memory, int) { hints = static_cast<Hint *>(memory); }, nullptr, nullptr};

Hint &
place_of(std::uint64_t fingerprint) noexcept
{
	return hints[fingerprint % hint_limit];
}

} // namespace

void
declare_hints() noexcept
{
	server::declare_region(region);
}

bool
is_hinted(std::uint64_t fingerprint) noexcept
{
	return place_of(fingerprint).load(std::memory_order_relaxed) == fingerprint;
}

void
hint(std::uint64_t fingerprint) noexcept
{
	place_of(fingerprint).store(fingerprint, std::memory_order_relaxed);
}

void
withdraw_hint(std::uint64_t fingerprint) noexcept
{
	if (is_hinted(fingerprint))
		place_of(fingerprint).store(0, std::memory_order_relaxed);
}

} // namespace remedy::repetition
