#include "server/commands.hpp"

namespace remedy {

void
run_sql(const char *format, ...) noexcept
{
	StringInfoData command;
	int needed;

	initStringInfo(&command);
	do
	{
		va_list arguments;
		va_start(arguments, format);
		needed = appendStringInfoVA(&command, format, arguments);
		va_end(arguments);
		enlargeStringInfo(&command, needed);
	} while (needed != 0);
	SPI_connect();
	if (SPI_execute(command.data, false, 0) < 0)
		elog(ERROR, "could not run: %s", command.data);
	SPI_finish();
	pfree(command.data);
}

void
run_as(Oid role, const char *command) noexcept
{
	Oid user;
	int context;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(role, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	run_sql("%s", command);
	SetUserIdAndSecContext(user, context);
}

} // namespace remedy
