// Keeps the plan of a statement that is open and has just run.

#pragma once

#include "observe/observe.hpp"

namespace remedy::plans {

// Prints the plan, in a subtransaction, and enters it into the table.  Waits for no
// lock, raises no error but a cancel.
void capture(const observe::Statement &statement) noexcept;

} // namespace remedy::plans
