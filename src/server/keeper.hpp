// Reading and writing the tables in which rooms keep what they do, as the owner of the
// extension's schema: whoever calls a room has no rights on them.
//
// The user is back when a statement is done; when it fails, the end of the (sub)transaction
// brings him back.

#pragma once

#include <initializer_list>

#include "server/headers.hpp"

namespace remedy {

struct Value
{
	Oid type;
	Datum datum;
	bool null;

	Value(int64 number) noexcept : type(INT8OID), datum(Int64GetDatum(number)), null(false) {}
	Value(int number) noexcept : Value(static_cast<int64>(number)) {}
	Value(Oid oid) noexcept : type(OIDOID), datum(ObjectIdGetDatum(oid)), null(false) {}
	Value(ArrayType *texts) noexcept : type(TEXTARRAYOID), datum(PointerGetDatum(texts)), null(false) {}
	Value(double number) noexcept : type(FLOAT8OID), datum(Float8GetDatum(number)), null(false) {}
	Value(const char *text) noexcept
		: type(TEXTOID), datum(text == nullptr ? 0 : CStringGetTextDatum(text)), null(text == nullptr)
	{
	}
};

// Columns are counted from 1.  It is read in the memory context of who asked for it.
class Row
{
public:
	Row(HeapTuple tuple, TupleDesc description) noexcept : tuple_(tuple), description_(description) {}

	Datum datum(int column) const noexcept
	{
		bool null;
		return SPI_getbinval(tuple_, description_, column, &null);
	}
	int64 bigint(int column) const noexcept { return DatumGetInt64(datum(column)); }
	Oid oid(int column) const noexcept { return DatumGetObjectId(datum(column)); }
	bool boolean(int column) const noexcept { return DatumGetBool(datum(column)); }
	const char *text(int column) const noexcept { return SPI_getvalue(tuple_, description_, column); }

private:
	HeapTuple tuple_;
	TupleDesc description_;
};

using ReadRow = void (*)(const Row &row, void *context);

// One statement, whose rows are read one by one; their number, or that of the rows it wrote.
int64 keep(const char *statement, std::initializer_list<Value> values, ReadRow read, void *context) noexcept;

inline int64
keep(const char *statement, std::initializer_list<Value> values) noexcept
{
	return keep(statement, values, nullptr, nullptr);
}

template <class Read>
int64
keep(const char *statement, std::initializer_list<Value> values, Read &&read) noexcept
{
	return keep(
		statement, values, [](const Row &row, void *context) { (*static_cast<Read *>(context))(row); }, &read);
}

} // namespace remedy
