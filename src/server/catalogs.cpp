#include "server/catalogs.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_proc.h"
#include "storage/lmgr.h"
}

namespace remedy::server {

bool
catalogs_are_free() noexcept
{
	constexpr Oid catalogs[] = {RelationRelationId,
								AttributeRelationId,
								AttrDefaultRelationId,
								IndexRelationId,
								OperatorClassRelationId,
								AccessMethodRelationId,
								AccessMethodProcedureRelationId,
								NamespaceRelationId,
								TypeRelationId,
								ProcedureRelationId,
								ConstraintRelationId,
								InheritsRelationId,
								AuthIdRelationId,
								DatabaseRelationId};

	for (const Oid catalog : catalogs)
	{
		if (!ConditionalLockRelationOid(catalog, AccessShareLock))
			return false;
		UnlockRelationOid(catalog, AccessShareLock);
	}
	return true;
}

} // namespace remedy::server
