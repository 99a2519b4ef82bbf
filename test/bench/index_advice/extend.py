"""Extend (Schlosser, Kossmann, Boissier: Efficient Scalable Multi-Attribute Index Selection, ICDE 2019), written anew over HypoPG.

It starts with no index. Each step either adds an index of one column or makes a chosen one longer by a column, whichever gains
most cost for each byte, until no step gains enough. It is given what pg_remedy is not: the statements with their literal
values. Costs are memoised by statement and the indexes on its tables.
"""

import re

WIDTH = 3
LEAST_GAIN = 1.003  # the step's total cost must be less by this factor
INSTANCES = 3       # calls of a statement that are planned
SCALAR = "smallint,integer,bigint,numeric,text,character varying,character,date,timestamp without time zone,timestamp with time zone,uuid,boolean,double precision".split(",")
CONDITIONS = ("Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Sort Key", "Group Key", "Presorted Key", "Order By")


class Search:
    def __init__(self, connection, calls, literally):
        self.connection = connection
        self.plannings = 0
        self.costs, self.sizes, self.texts, self.weights = {}, {}, {}, {}
        self.columns = self.read_columns()
        for statement, values in calls:
            if statement.sql.startswith("INSERT"):
                continue
            self.weights[statement.name] = self.weights.get(statement.name, 0) + 1
            texts = self.texts.setdefault(statement.name, [])
            text = literally(statement.sql, values)
            if len(texts) < INSTANCES and text not in texts:
                texts.append(text)
        # statement -> table -> its columns in conditions, orders and groups
        self.uses = {name: self.columns_used(texts[0]) for name, texts in self.texts.items()}

    def read_columns(self):
        rows = self.connection.execute("""SELECT a.attrelid::regclass::text, quote_ident(a.attname) FROM pg_attribute AS a
            JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace
            WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND format_type(a.atttypid, NULL) = ANY (%s)
            AND s.nspname NOT IN ('pg_catalog', 'information_schema')""", [SCALAR]).fetchall()
        columns = {}
        for table, column in rows:
            columns.setdefault(table, []).append(column)
        return columns

    def explain(self, text):
        self.plannings += 1
        answer = self.connection.execute("EXPLAIN (FORMAT JSON, VERBOSE) " + text.replace("%", "%%"), []).fetchone()[0]
        return answer[0]["Plan"]

    def columns_used(self, text):
        tables, words = set(), set()

        def walk(node):
            if "Relation Name" in node:
                tables.add((node["Schema"], node["Relation Name"]))
            for condition in CONDITIONS:
                text = node.get(condition, "")
                words.update(re.findall(r'"[^"]+"|\w+', text if isinstance(text, str) else " ".join(text)))
            for child in node.get("Plans", []):
                walk(child)
        walk(self.explain(text))
        used = {}
        for schema, name in tables:
            table = self.connection.execute("SELECT format('%%I.%%I', %s::text, %s::text)::regclass::text", [schema, name]).fetchone()[0]
            used[table] = [column for column in self.columns.get(table, []) if column in words]
        return used

    def create(self, index):
        table, columns = index
        return self.connection.execute("SELECT indexrelid FROM hypopg_create_index(%s)",
                                       ["CREATE INDEX ON %s (%s)" % (table, ", ".join(columns))]).fetchone()[0]

    def size(self, index):
        if index not in self.sizes:
            self.sizes[index] = self.connection.execute("SELECT hypopg_relation_size(%s)", [self.create(index)]).fetchone()[0]
            self.connection.execute("SELECT hypopg_reset()")
        return self.sizes[index]

    def cost(self, name, indexes):
        uses = self.uses[name]
        relevant = frozenset(index for index in indexes if index[1][0] in uses.get(index[0], ()))
        key = name, relevant
        if key not in self.costs:
            for index in relevant:
                self.create(index)
            self.costs[key] = self.weights[name] * sum(self.explain(text)["Total Cost"] for text in self.texts[name]) / len(self.texts[name])
            self.connection.execute("SELECT hypopg_reset()")
        return self.costs[key]

    def gain(self, before, after):
        tables = {index[0] for index in before ^ after}
        return sum(self.cost(name, before) - self.cost(name, after) for name, uses in self.uses.items() if tables & uses.keys())

    def steps(self, chosen):
        together = {(table, tuple(columns)) for uses in self.uses.values() for table, columns in uses.items()}
        for table, column in sorted({(table, column) for table, columns in together for column in columns}):
            if not any(index[0] == table and index[1][0] == column for index in chosen):
                yield None, (table, (column,))
        for index in sorted(chosen):
            if len(index[1]) < WIDTH:
                for column in sorted({c for table, columns in together if table == index[0] and set(index[1]) <= set(columns) for c in columns} - set(index[1])):
                    yield index, (index[0], index[1] + (column,))

    def run(self):
        """The chosen indexes as DDL."""
        chosen = frozenset()
        total = sum(self.cost(name, chosen) for name in self.uses)
        while True:
            best = None
            for old, new in self.steps(chosen):
                after = chosen - {old} | {new}
                gain = self.gain(chosen, after)
                if total - gain > total / LEAST_GAIN:
                    continue
                bytes_more = max(1, self.size(new) - (self.size(old) if old else 0))
                if best is None or gain / bytes_more > best[0]:
                    best = gain / bytes_more, gain, after
            if best is None:
                return ["CREATE INDEX ON %s (%s)" % (table, ", ".join(columns)) for table, columns in sorted(chosen)]
            total -= best[1]
            chosen = best[2]
