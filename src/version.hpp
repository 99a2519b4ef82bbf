// The version of the library; the same as default_version in pg_remedy.control.

#pragma once

namespace remedy {

inline constexpr char version[] = REMEDY_VERSION;

} // namespace remedy
