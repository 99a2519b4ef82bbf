#include "json_columns/measured.hpp"

#include <cmath>
#include <ctime>

#include "json_columns/document_keys.hpp"
#include "server/guard.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace remedy::json_columns {

namespace {

constexpr double documents_wanted = 20000;
constexpr double bytes_wanted = 32e6;
constexpr double too_many = 0.05; // of the rows: then reading all of them costs no more

struct Job
{
	Oid table;
	const char *column; // quoted
	bool is_json;
	Measured whole;
	List *indexes;
	MemoryContext kept;
	double documents; // in the sample
};

double
processor_ms() noexcept
{
	timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

void
run(const char *command) noexcept
{
	const int result = SPI_execute(command, false, 0);

	if (result < 0)
		elog(ERROR, "could not run \"%s\": %s", command, SPI_result_code_string(result));
}

double
number_from(const char *query) noexcept
{
	bool is_null;

	run(query);
	const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	return is_null ? 0 : DatumGetFloat8(value);
}

const char *
name_of(Oid table) noexcept
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

// ---- The sample --------------------------------------------------------------------------

// Of so many documents or bytes, by pages all over the table.
void
take_sample(Job &job, bool as_jsonb) noexcept
{
	const double bytes = number_from(psprintf(
		"SELECT sum(pg_catalog.pg_table_size(t.relid))::pg_catalog.float8 FROM pg_catalog.pg_partition_tree(%u) AS t "
		"HAVING count(*) > 0 UNION ALL SELECT pg_catalog.pg_table_size(%u)::pg_catalog.float8",
		job.table, job.table));
	const double share = Min(documents_wanted / Max(job.whole.tuples, 1.0), bytes_wanted / Max(bytes, 1.0));

	run("DROP TABLE IF EXISTS pg_temp.remedy_json_sample");
	run(psprintf("CREATE TEMPORARY TABLE remedy_json_sample AS SELECT %s%s AS %s FROM %s %s WHERE %s IS NOT NULL",
				 job.column, as_jsonb && job.is_json ? "::pg_catalog.jsonb" : "", job.column, name_of(job.table),
				 share < 0.9 ? psprintf("TABLESAMPLE SYSTEM (%.6f) REPEATABLE (1)", share * 100) : "", job.column));
	job.documents = number_from("SELECT count(*)::pg_catalog.float8 FROM pg_temp.remedy_json_sample");
}

// ---- Building ----------------------------------------------------------------------------

struct Built
{
	double bytes;
	double ms;
};

Built
build(const char *method, const char *keys) noexcept
{
	run("DROP INDEX IF EXISTS pg_temp.remedy_json_sample_index");
	const double began = processor_ms();
	run(psprintf("CREATE INDEX remedy_json_sample_index ON pg_temp.remedy_json_sample USING %s (%s)", method, keys));
	const double ms = processor_ms() - began;
	return {number_from("SELECT pg_catalog.pg_relation_size('pg_temp.remedy_json_sample_index')::pg_catalog.float8"),
			ms};
}

void
set_work_mem(double kilobytes) noexcept
{
	set_config_option("maintenance_work_mem", psprintf("%.0f", Max(kilobytes, 1024.0)), PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_LOCAL, true, 0, false);
}

int
classes_of(const WantedIndex &wanted, KeyClass *&classes) noexcept
{
	DocumentKeys keys(wanted.keys_only);

	run(psprintf("SELECT (%s)::pg_catalog.jsonb FROM pg_temp.remedy_json_sample", wanted.searched));
	for (uint64 i = 0; i < SPI_processed; ++i)
	{
		bool is_null;
		const Datum document = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);
		CHECK_FOR_INTERRUPTS();
		if (!is_null)
			keys.add(document);
	}
	SPI_freetuptable(SPI_tuptable);
	return keys.classes(classes);
}

// Trees grow deeper and leave the processor's caches: fitted to 20,000, 200,000 and 1,000,000 documents.
double
growth(double times) noexcept
{
	return std::pow(times, 0.08);
}

// The WAL of the index's pages.
double
wal_ms(double bytes) noexcept
{
	return bytes / 1e6 * 3;
}

// CONCURRENTLY reads the table once more, and sorts where the rows are that the index has.
// Fitted to 200,000 documents (PostgreSQL 15).
double
proving_ms(const Measured &whole, double entries) noexcept
{
	return whole.pages * 0.003 + whole.tuples * 0.0002 + entries * 0.00007;
}

// The time of as much memory as the real build has; the size of so much less that both are
// filled by the same number of batches.
void
measure_gin(const Job &job, WantedIndex &wanted) noexcept
{
	const double times = Max(job.whole.tuples / Max(job.documents, 1.0), 1.0);
	const double memory = maintenance_work_mem;
	KeyClass *classes;

	const double ms = build("gin", wanted.keys).ms;
	set_work_mem(memory / times);
	const double bytes = build("gin", wanted.keys).bytes;
	set_work_mem(memory);
	const int count = classes_of(wanted, classes);
	wanted.size_bytes = bytes * gin_bytes(classes, count, times, job.whole.pages) /
						Max(gin_bytes(classes, count, 1, job.whole.pages / times), 1.0);
	double entries = 0;
	for (int i = 0; i < count; ++i)
		entries += classes[i].entries * times;
	wanted.build_ms = ms * times * growth(times) + wal_ms(wanted.size_bytes) + proving_ms(job.whole, entries);
}

// Of several keys those without any value count as the NULLs of one.
KeyClass
btree_class(const WantedIndex &wanted, double &nulls) noexcept
{
	const char *const grouped = psprintf(
		"FROM (SELECT ROW(%s) AS k, count(*)::pg_catalog.float8 AS n FROM pg_temp.remedy_json_sample GROUP BY %s) AS g",
		wanted.values, wanted.values);
	const auto ask = [&](const char *what, const char *of) noexcept {
		return number_from(psprintf("SELECT coalesce(%s, 0)::pg_catalog.float8 %s WHERE %s", what, grouped, of));
	};
	constexpr double row_header = 24; // of a row as a value, in bytes

	nulls = ask("sum(n)", "k IS NULL");
	return {ask("sum(n)", "NOT k IS NULL"), ask("count(*)", "NOT k IS NULL"),
			ask("count(*) FILTER (WHERE n OPERATOR(pg_catalog.=) 1)", "NOT k IS NULL"),
			Max(ask("avg(pg_catalog.pg_column_size(k))", "NOT k IS NULL") - row_header, 1.0)};
}

void
measure_btree(const Job &job, WantedIndex &wanted) noexcept
{
	const double times = Max(job.whole.tuples / Max(job.documents, 1.0), 1.0);
	const Built built = build("btree", wanted.keys);
	double nulls;
	const KeyClass keys = btree_class(wanted, nulls);

	wanted.size_bytes = built.bytes * btree_bytes(keys, nulls, times) / Max(btree_bytes(keys, nulls, 1), 1.0);
	wanted.build_ms = built.ms * times + wal_ms(wanted.size_bytes) + proving_ms(job.whole, 0);
}

// ---- How many rows an observed value finds -----------------------------------------------

double
share_found(const char *searched, const char *operation, const Const &value) noexcept
{
	Oid type = value.consttype;
	Datum datum = value.constvalue;
	bool is_null;
	const char *const query =
		psprintf("SELECT count(*) FILTER (WHERE %s OPERATOR(pg_catalog.%s) $1)::pg_catalog.float8 "
				 "OPERATOR(pg_catalog./) greatest(count(*), 1)::pg_catalog.float8 FROM pg_temp.remedy_json_sample",
				 searched, operation);

	if (SPI_execute_with_args(query, 1, &type, &datum, nullptr, false, 0) != SPI_OK_SELECT)
		return 0;
	return DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
}

// Of a value that is not known it is believed that it is worth searching for.
void
check_selectivity(const Job &job, WantedIndex &wanted) noexcept
{
	double least = 1;
	const ListCell *cell, *value;

	foreach (cell, wanted.usages)
	{
		const Usage &usage = *static_cast<Usage *>(lfirst(cell));
		if (!usage.knows_all || strchr("@?", *usage.use.operation) == nullptr)
			return;
		foreach (value, usage.values)
			least = Min(least, share_found(wanted.searched, usage.use.operation, *lfirst_node(Const, value)));
	}
	if (least > too_many)
		wanted.refusal = MemoryContextStrdup(
			job.kept, psprintf("what is searched for is in %.0f %% of the documents: to read all of them costs less",
							   least * 100));
}

void
measure_all(Job &job, bool as_jsonb) noexcept
{
	const ListCell *cell;
	bool sampled = false;

	foreach (cell, job.indexes)
	{
		WantedIndex &wanted = *static_cast<WantedIndex *>(lfirst(cell));
		if (wanted.refusal != nullptr || (wanted.gin || wanted.after_migration) != as_jsonb)
			continue;
		if (!sampled)
			take_sample(job, as_jsonb);
		sampled = true;
		if (wanted.gin)
			check_selectivity(job, wanted);
		if (wanted.refusal == nullptr)
			wanted.gin ? measure_gin(job, wanted) : measure_btree(job, wanted);
	}
}

} // namespace

int
measure(Oid table, const char *column, bool is_json, Measured whole, List *indexes) noexcept
{
	Job job = {table, quote_identifier(column), is_json, whole, indexes, CurrentMemoryContext, 0};

	return trial([&]() noexcept {
		set_config_option("client_min_messages", "error", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
		SPI_connect();
		measure_all(job, false);
		measure_all(job, true);
		SPI_finish();
	});
}

} // namespace remedy::json_columns
