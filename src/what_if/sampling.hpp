// What a sample of a table's rows tells of values that no statistics know.

#pragma once

namespace remedy::what_if {

struct Sample;

} // namespace remedy::what_if
