-- What an expert would make who knows the 22 queries; there is no ground truth, as there is little to win in memory.
CREATE INDEX ON lineitem (l_partkey, l_suppkey) INCLUDE (l_quantity, l_shipdate);
CREATE INDEX ON lineitem (l_shipdate) INCLUDE (l_discount, l_quantity, l_extendedprice);
CREATE INDEX ON orders (o_custkey);
CREATE INDEX ON orders (o_orderdate);
CREATE INDEX ON partsupp (ps_suppkey);
