// The client of the benchmarks.
//
//   client blocks BLOCKS prepared|simple|twenty LABEL=CONNINFO…
//
// One session on every server; each in turn gets a block of 200 statements. Prints for each server the median time of
// a statement, and the median and quartiles of the ratio to the first server's block of the same turn, so that what
// disturbs the machine disturbs all alike.
//
//   client transaction simple|extended|pipelined STATEMENTS SHAPES CONNINFO
//
// One transaction of so many statements, of so many shapes. Prints the median time of a statement in its first and
// its last tenth, and the anonymous memory of its backend after the first tenth and at the end.

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using std::string;

[[noreturn]] void
fail(const string &why)
{
	std::fprintf(stderr, "client: %s\n", why.c_str());
	std::exit(1);
}

double
nanoseconds_now()
{
	using namespace std::chrono;
	return duration<double, std::nano>(steady_clock::now().time_since_epoch()).count();
}

class Session
{
public:
	explicit Session(const char *conninfo) : connection(PQconnectdb(conninfo))
	{
		if (PQstatus(connection) != CONNECTION_OK)
			fail(PQerrorMessage(connection));
	}
	Session(const Session &) = delete;
	~Session() { PQfinish(connection); }

	void simple(const string &sql) { check(PQexec(connection, sql.c_str())); }

	void extended(const string &sql)
	{
		check(PQexecParams(connection, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
	}

	void prepare(const char *name, const char *sql) { check(PQprepare(connection, name, sql, 0, nullptr)); }

	void prepared(const char *name, const string &value)
	{
		const char *values[] = {value.c_str()};
		check(PQexecPrepared(connection, name, 1, values, nullptr, nullptr, 0));
	}

	void pipelined(const std::vector<string> &statements)
	{
		PQenterPipelineMode(connection);
		for (const string &sql : statements)
			PQsendQueryParams(connection, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0);
		PQpipelineSync(connection);
		for (std::size_t i = 0; i < statements.size(); ++i)
		{
			check(PQgetResult(connection));
			PQclear(PQgetResult(connection)); // the null that ends a statement's results
		}
		PQclear(PQgetResult(connection)); // of the synchronisation
		if (PQexitPipelineMode(connection) == 0)
			fail(PQerrorMessage(connection));
	}

	// What the backend has for itself, in kB.
	long anonymous_memory() const
	{
		const string name = "/proc/" + std::to_string(PQbackendPID(connection)) + "/status";
		std::FILE *file = std::fopen(name.c_str(), "r");
		char line[256];
		long memory = 0;
		while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr)
			std::sscanf(line, "RssAnon: %ld", &memory);
		if (file == nullptr || memory == 0)
			fail("cannot read " + name);
		std::fclose(file);
		return memory;
	}

private:
	void check(PGresult *result)
	{
		const ExecStatusType status = PQresultStatus(result);
		if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
			fail(PQerrorMessage(connection));
		PQclear(result);
	}

	PGconn *connection;
};

// ---- Blocks --------------------------------------------------------------------------------------------

constexpr int block_statements = 200;

// The time of a statement in a block.
double
block(Session &session, const string &kind)
{
	const double start = nanoseconds_now();
	for (int i = 0; i < block_statements; ++i)
	{
		const string value = std::to_string(1 + i * 7919 % 100'000);
		if (kind == "twenty" && i % 20 == 0)
			session.simple("BEGIN");
		if (kind == "simple")
			session.simple("SELECT abalance FROM pgbench_accounts WHERE aid = " + value);
		else
			session.prepared("point", value);
		if (kind == "twenty" && i % 20 == 19)
			session.simple("COMMIT");
	}
	return (nanoseconds_now() - start) / block_statements;
}

double
quantile(std::vector<double> values, double fraction)
{
	std::sort(values.begin(), values.end());
	return values[static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1))];
}

void
run_blocks(int blocks, const string &kind, char **servers, int count)
{
	constexpr int warm_up = 3;
	std::vector<Session *> sessions;
	std::vector<std::vector<double>> times(count);
	for (int i = 0; i < count; ++i)
	{
		sessions.push_back(new Session(std::strchr(servers[i], '=') + 1));
		sessions[i]->prepare("point", "SELECT abalance FROM pgbench_accounts WHERE aid = $1::integer");
	}
	for (int b = -warm_up; b < blocks; ++b)
		for (int turn = 0; turn < count; ++turn)
		{
			const int i = (b + warm_up + turn) % count; // nobody is always the first
			const double time = block(*sessions[i], kind);
			if (b >= 0)
				times[i].push_back(time);
		}
	for (int i = 0; i < count; ++i)
	{
		std::vector<double> ratios;
		for (int b = 0; b < blocks; ++b)
			ratios.push_back(times[i][b] / times[0][b]);
		std::printf("%-10s %-20.*s %8.1f us  %.3f [%.3f - %.3f]\n", kind.c_str(),
					static_cast<int>(std::strchr(servers[i], '=') - servers[i]), servers[i],
					quantile(times[i], 0.5) / 1000, quantile(ratios, 0.5), quantile(ratios, 0.25),
					quantile(ratios, 0.75));
		delete sessions[i];
	}
}

// ---- One long transaction ------------------------------------------------------------------------------

string
statement_of_shape(long shape)
{
	char sql[64];
	std::snprintf(sql, sizeof sql, "SELECT c%ld, c%ld, c%ld FROM wide", shape % 50, shape / 50 % 50, shape / 2500);
	return sql;
}

// Sends some statements and gives the time of one.
double
batch(Session &session, const string &protocol, const std::vector<string> &statements)
{
	const double start = nanoseconds_now();
	if (protocol == "pipelined")
		session.pipelined(statements);
	else
		for (const string &sql : statements)
			protocol == "simple" ? session.simple(sql) : session.extended(sql);
	return (nanoseconds_now() - start) / static_cast<double>(statements.size());
}

void
run_transaction(const string &protocol, long statements, long shapes, const char *conninfo)
{
	constexpr long batch_statements = 100;
	const long batches = statements / batch_statements;
	std::vector<double> first, last;
	long memory = 0;
	Session session(conninfo);

	session.simple("BEGIN");
	for (long i = 0; i < batches; ++i)
	{
		std::vector<string> texts;
		for (long j = 0; j < batch_statements; ++j)
			texts.push_back(statement_of_shape((i * batch_statements + j) % shapes));
		const double time = batch(session, protocol, texts);
		if (i < batches / 10)
			first.push_back(time);
		if (i == batches / 10)
			memory = session.anonymous_memory();
		if (i >= batches - batches / 10)
			last.push_back(time);
	}
	std::printf("%-10s %8ld %7ld  %8.1f -> %.1f us  %8ld -> %ld kB\n", protocol.c_str(), statements, shapes,
				quantile(first, 0.5) / 1000, quantile(last, 0.5) / 1000, memory, session.anonymous_memory());
	session.simple("COMMIT");
}

} // namespace

int
main(int count, char **words)
{
	const string command = count > 1 ? words[1] : "";
	if (command == "blocks" && count > 4)
		run_blocks(std::atoi(words[2]), words[3], words + 4, count - 4);
	else if (command == "transaction" && count == 6)
		run_transaction(words[2], std::atol(words[3]), std::atol(words[4]), words[5]);
	else
		fail("usage is at the head of client.cpp");
}
