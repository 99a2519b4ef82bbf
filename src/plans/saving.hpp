// Kept plans outlive the server, their values do not.

#pragma once

#include <cstdint>

#include "observe/persistence.hpp"

namespace remedy::plans {

extern const observe::Section section;

} // namespace remedy::plans
