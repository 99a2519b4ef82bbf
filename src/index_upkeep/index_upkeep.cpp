#include "server/guard.hpp"
#include "server/rows.hpp"

REMEDY_FUNCTION(remedy_statements_without)
{
	return 0;
}
