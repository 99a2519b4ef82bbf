// Statements, their texts and transaction groups outlive the server.

#pragma once

#include "observe/persistence.hpp"

namespace remedy::observe {

extern const Section statistics_section;

} // namespace remedy::observe
