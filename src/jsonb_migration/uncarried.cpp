// What cannot be carried over: it is told, with its reason, and nothing is begun.

#include "jsonb_migration/dependents.hpp"

namespace remedy::jsonb_migration {

const Carrier uncarried = {.kind = "other"};

} // namespace remedy::jsonb_migration
