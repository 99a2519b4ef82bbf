#include "observe/replannable.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

using namespace remedy;
REMEDY_FUNCTION(remedy_statements_without)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	return 0;
}
