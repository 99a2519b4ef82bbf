"""Reads the indexes of a database as the judge's definitions, and makes those of the truth's forms comparable."""

from judge import Index, Key, Need, canonical

# An index of a partition that belongs to one of the parent is the parent's; any other counts for the root of its table.
QUERY = """
SELECT c.oid::regclass::text AS name, coalesce(pg_partition_root(i.indrelid), i.indrelid)::regclass::text AS table, m.amname AS method,
    i.indnkeyatts AS keys, ARRAY(SELECT pg_get_indexdef(c.oid, n, true) FROM generate_series(1, i.indnatts) AS n) AS texts,
    ARRAY(SELECT CASE WHEN o.opcdefault THEN '' ELSE o.opcname END FROM generate_series(0, i.indnkeyatts - 1) AS n
          JOIN pg_opclass AS o ON o.oid = i.indclass[n] ORDER BY n) AS opclasses,
    ARRAY(SELECT i.indoption[n] & 1 = 1 FROM generate_series(0, i.indnkeyatts - 1) AS n) AS descending,
    coalesce(pg_get_expr(i.indpred, i.indrelid, true), '') AS predicate
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
  JOIN pg_namespace AS s ON s.oid = c.relnamespace
  WHERE NOT c.relispartition AND s.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'remedy') AND i.indisvalid
  ORDER BY c.oid"""


def read(connection):
    found = {}
    for name, table, method, count, texts, opclasses, descending, predicate in connection.execute(QUERY).fetchall():
        keys = tuple(Key(*key) for key in zip(texts[:count], opclasses, descending))
        found[name] = Index(name, table, method, keys, tuple(texts[count:]), canonical(predicate))
    return found


def megabytes(connection):
    return float(connection.execute("""SELECT coalesce(sum(pg_relation_size(c.oid)), 0) / 1e6 FROM pg_class AS c
        JOIN pg_namespace AS s ON s.oid = c.relnamespace
        WHERE c.relkind = 'i' AND s.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'remedy')""").fetchone()[0])


def needs(truth, connection):
    """The truth's needs with their forms as definitions. The connection's database has empty tables, and stays as it is."""
    def definition(table, form):
        before = set(read(connection))
        with connection.transaction(force_rollback=True):
            connection.execute("CREATE INDEX ON %s %s" % (table, form))
            return next(index for name, index in read(connection).items() if name not in before)
    return [Need(need["name"], need["table"], tuple(definition(need["table"], form) for form in need["best"]),
                 tuple(definition(need["table"], form) for form in need["also"]), need.get("optional", False))
            for need in truth["needs"]]
