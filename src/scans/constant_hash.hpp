// Hashes of constants, so that it is seen whether they recur without being kept.
//
// Numbers, texts, dates and the like have the hash of their canonical form
// (repetition/values.hpp): an integer is the same in a column of any width, a text in
// one of any type.  Of others the type counts, and the bytes.

#pragma once

#include "scans/conditions.hpp"
#include "server/headers.hpp"

namespace remedy::scans {

// Neither unknown_constant nor varied_constant.
ConstantHash hash_of_constant(Oid type, Datum value) noexcept;

// A null is one that varies: nothing is to be learnt from it.
inline ConstantHash
hash_of_constant(const Const *constant) noexcept
{
	return constant->constisnull ? varied_constant : hash_of_constant(constant->consttype, constant->constvalue);
}

} // namespace remedy::scans
