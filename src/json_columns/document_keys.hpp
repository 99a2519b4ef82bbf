// The places in documents that GIN makes keys of.

#pragma once

#include <cstdint>

#include "json_columns/index_growth.hpp"
#include "server/headers.hpp"

namespace remedy::json_columns {

class DocumentKeys
{
public:
	// With the keys of objects (jsonb_ops), or without (jsonb_path_ops).
	explicit DocumentKeys(bool object_keys) noexcept : object_keys_(object_keys) {}

	// Errors may jump over it: all is palloc'd in the current memory context.
	void add(Datum jsonb) noexcept;

	int classes(KeyClass *&classes) noexcept;

private:
	struct Entry
	{
		std::uint64_t place;
		std::uint64_t value;
		std::uint32_t document;
		std::uint32_t bytes;
	};

	void note(std::uint64_t place, std::uint64_t value, int bytes) noexcept;

	bool object_keys_;
	Entry *entries_ = nullptr;
	Size count_ = 0, room_ = 0;
	std::uint32_t documents_ = 0;
};

} // namespace remedy::json_columns
