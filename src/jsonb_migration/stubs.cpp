// Stand-ins for what is not written yet.

#include "jsonb_migration/backfill.hpp"
#include "jsonb_migration/dependents.hpp"
#include "jsonb_migration/pace.hpp"
#include "jsonb_migration/shadow.hpp"

namespace remedy::jsonb_migration {
// B2
__attribute__((weak)) List *
find_dependents(Scope &) noexcept
{
	return NIL;
}
__attribute__((weak)) void
rehearse(const Target &) noexcept
{
}
// B2
extern const Carrier function __attribute__((weak)) = {"function"};
extern const Carrier policy __attribute__((weak)) = {"policy"};
extern const Carrier rule __attribute__((weak)) = {"rule"};
extern const Carrier uncarried __attribute__((weak)) = {"other"};
} // namespace remedy::jsonb_migration
