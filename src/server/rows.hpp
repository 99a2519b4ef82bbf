// Rows of a set-returning function, built column by column.
//
// Plain data: errors may jump over it.  The function's SQL declaration and the
// sequence of put_ calls must agree; end_row() checks their number.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

// The text, with a ? for every byte that this database's encoding does not allow
// there: names and texts may come from a database of another one.
const char *valid_text(const char *text) noexcept;

class Rows
{
public:
	explicit Rows(FunctionCallInfo call) noexcept : info_(reinterpret_cast<ReturnSetInfo *>(call->resultinfo))
	{
		InitMaterializedSRF(call, 0);
	}

	void put(Datum value) noexcept
	{
		Assert(column_ < limit);
		nulls_[column_] = false;
		values_[column_++] = value;
	}

	void put_null() noexcept
	{
		Assert(column_ < limit);
		nulls_[column_] = true;
		values_[column_++] = 0;
	}

	void put_text(const char *text) noexcept
	{
		text == nullptr ? put_null() : put(CStringGetTextDatum(valid_text(text)));
	}
	void put_bigint(int64 value) noexcept { put(Int64GetDatum(value)); }
	void put_double(double value) noexcept { put(Float8GetDatum(value)); }
	void put_bool(bool value) noexcept { put(BoolGetDatum(value)); }
	void put_time(TimestampTz value) noexcept { value == 0 ? put_null() : put(TimestampTzGetDatum(value)); }

	void end_row() noexcept
	{
		if (column_ != info_->setDesc->natts)
			elog(ERROR, "row has %d columns where the function declares %d", column_, info_->setDesc->natts);
		tuplestore_putvalues(info_->setResult, info_->setDesc, values_, nulls_);
		column_ = 0;
	}

private:
	static constexpr int limit = 32;

	ReturnSetInfo *info_;
	int column_ = 0;
	Datum values_[limit];
	bool nulls_[limit];
};

} // namespace remedy::server
