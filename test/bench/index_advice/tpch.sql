-- TPC-H's schema with primary keys only, and data of roughly its distributions, made by SQL: psql -v scale=0.05 -f tpch.sql.
--
-- Every value is a hash of the row's number. Names, types, brands, segments, priorities, modes and dates are those of the
-- specification; comments are short, and hold the words that queries look for about as often as there.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET synchronous_commit = off;

CREATE SCHEMA make;
CREATE FUNCTION make.pick(i bigint, seed int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS 'SELECT (hashint8extended($1, $2) & 9007199254740991) % $3';
CREATE FUNCTION make.one(i bigint, seed int, of text[]) RETURNS text LANGUAGE sql IMMUTABLE
  AS 'SELECT $3[1 + (hashint8extended($1, $2) & 9007199254740991) % cardinality($3)]';
CREATE FUNCTION make.phone(i bigint, nation bigint) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$SELECT (10 + $2) || '-' || (100 + make.pick($1, 1, 900)) || '-' || (100 + make.pick($1, 2, 900)) || '-' || (1000 + make.pick($1, 3, 9000))$$;
SELECT (200000 * :scale)::int AS parts, (10000 * :scale)::int AS suppliers, (150000 * :scale)::int AS customers, (1500000 * :scale)::int AS orders \gset

CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
INSERT INTO region SELECT i - 1, (ARRAY['AFRICA','AMERICA','ASIA','EUROPE','MIDDLE EAST'])[i], '' FROM generate_series(1, 5) AS i;

CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL, n_comment varchar(152));
INSERT INTO nation SELECT i - 1, split_part(n, ':', 1), split_part(n, ':', 2)::int, '' FROM unnest(ARRAY['ALGERIA:0','ARGENTINA:1','BRAZIL:1','CANADA:1','EGYPT:4','ETHIOPIA:0','FRANCE:3',
  'GERMANY:3','INDIA:2','INDONESIA:2','IRAN:4','IRAQ:4','JAPAN:2','JORDAN:4','KENYA:0','MOROCCO:0','MOZAMBIQUE:0','PERU:1','CHINA:2','ROMANIA:3','SAUDI ARABIA:4','VIETNAM:2',
  'RUSSIA:3','UNITED KINGDOM:3','UNITED STATES:1']) WITH ORDINALITY AS x(n, i);

CREATE TABLE part (
  p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL, p_type varchar(25) NOT NULL, p_size int NOT NULL,
  p_container char(10) NOT NULL, p_retailprice numeric(15, 2) NOT NULL, p_comment varchar(23) NOT NULL);
INSERT INTO part SELECT i, (SELECT string_agg(make.one(i * 8 + w, 4, '{almond,antique,aquamarine,azure,beige,bisque,black,blanched,blue,blush,brown,burlywood,chartreuse,chiffon,chocolate,coral,cornflower,cream,cyan,dark,deep,dim,dodger,drab,firebrick,forest,frosted,gainsboro,ghost,goldenrod,green,grey,honeydew,hot,indian,ivory,khaki,lace,lavender,lawn,lemon,light,lime,linen,magenta,maroon}'), ' ') FROM generate_series(1, 5) AS w),
    'Manufacturer#' || 1 + make.pick(i, 5, 5), 'Brand#' || 1 + make.pick(i, 5, 5) || 1 + make.pick(i, 6, 5),
    make.one(i, 7, '{STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO}') || ' ' || make.one(i, 8, '{ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED}') || ' ' || make.one(i, 9, '{TIN,NICKEL,BRASS,STEEL,COPPER}'),
    1 + make.pick(i, 10, 50), make.one(i, 11, '{SM,LG,MED,JUMBO,WRAP}') || ' ' || make.one(i, 12, '{CASE,BOX,BAG,JAR,PKG,PACK,CAN,DRUM}'),
    (90000 + i / 10 % 20001 + 100 * (i % 1000)) / 100.0, 'furiously even'
  FROM generate_series(1, :parts) AS i;

CREATE TABLE supplier (
  s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey int NOT NULL, s_phone char(15) NOT NULL, s_acctbal numeric(15, 2) NOT NULL, s_comment varchar(101) NOT NULL);
INSERT INTO supplier SELECT i, 'Supplier#' || lpad(i::text, 9, '0'), md5('s' || i), make.pick(i, 13, 25), make.phone(i, make.pick(i, 13, 25)), (make.pick(i, 14, 1099999) - 99999) / 100.0,
    CASE make.pick(i, 15, 200) WHEN 0 THEN 'blithely Customer slow Complaints' ELSE 'quickly final deposits' END
  FROM generate_series(1, :suppliers) AS i;

CREATE TABLE partsupp (ps_partkey int, ps_suppkey int, ps_availqty int NOT NULL, ps_supplycost numeric(15, 2) NOT NULL, ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
INSERT INTO partsupp SELECT p, 1 + (p + n * (:suppliers / 4 + (p - 1) / :suppliers)) % :suppliers, 1 + make.pick(p * 4 + n, 16, 9999), (100 + make.pick(p * 4 + n, 17, 99901)) / 100.0,
    repeat('carefully bold packages ', 5) FROM generate_series(1, :parts) AS p, generate_series(0, 3) AS n;

CREATE TABLE customer (
  c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey int NOT NULL, c_phone char(15) NOT NULL, c_acctbal numeric(15, 2) NOT NULL,
  c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
INSERT INTO customer SELECT i, 'Customer#' || lpad(i::text, 9, '0'), md5('c' || i), make.pick(i, 18, 25), make.phone(i, make.pick(i, 18, 25)), (make.pick(i, 19, 1099999) - 99999) / 100.0,
    make.one(i, 20, '{AUTOMOBILE,BUILDING,FURNITURE,MACHINERY,HOUSEHOLD}'), repeat('regular accounts ', 4) FROM generate_series(1, :customers) AS i;

-- A third of the customers never orders; order keys are sparse: eight of each 32.
CREATE TABLE orders (
  o_orderkey int, o_custkey int NOT NULL, o_orderstatus char(1) NOT NULL, o_totalprice numeric(15, 2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL,
  o_clerk char(15) NOT NULL, o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
INSERT INTO orders SELECT (i / 8) * 32 + i % 8, 1 + 3 * make.pick(i, 21, :customers / 3) + make.pick(i, 22, 2), 'O', 0, '1992-01-01'::date + make.pick(i, 23, 2406)::int,
    make.one(i, 24, '{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}'), 'Clerk#' || lpad((1 + make.pick(i, 25, greatest(1, :orders / 1500)))::text, 9, '0'), 0,
    CASE make.pick(i, 26, 90) WHEN 0 THEN 'blithely special pending requests' ELSE 'ironic instructions sleep' END
  FROM generate_series(1, :orders) AS i;

CREATE TABLE lineitem (
  l_orderkey int, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int, l_quantity numeric(15, 2) NOT NULL, l_extendedprice numeric(15, 2) NOT NULL, l_discount numeric(15, 2) NOT NULL,
  l_tax numeric(15, 2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL);
INSERT INTO lineitem SELECT o_orderkey, part, 1 + (part + make.pick(k, 27, 4) * (:suppliers / 4 + (part - 1) / :suppliers)) % :suppliers, n, quantity,
    quantity * (90000 + part / 10 % 20001 + 100 * (part % 1000)) / 100.0, make.pick(k, 28, 11) / 100.0, make.pick(k, 29, 9) / 100.0,
    CASE WHEN received > '1995-06-17' THEN 'N' WHEN make.pick(k, 30, 2) = 0 THEN 'R' ELSE 'A' END, CASE WHEN shipped > '1995-06-17' THEN 'O' ELSE 'F' END,
    shipped, o_orderdate + 30 + make.pick(k, 31, 61)::int, received,
    make.one(k, 32, '{DELIVER IN PERSON,COLLECT COD,NONE,TAKE BACK RETURN}'), make.one(k, 33, '{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}'), 'slyly regular ideas'
  FROM orders, LATERAL (SELECT n, o_orderkey::bigint * 8 + n AS k FROM generate_series(1, 1 + make.pick(o_orderkey, 34, 7)) AS n) AS a,
    LATERAL (SELECT (1 + make.pick(k, 35, :parts))::int AS part, (1 + make.pick(k, 36, 50))::int AS quantity, o_orderdate + 1 + make.pick(k, 37, 121)::int AS shipped) AS b,
    LATERAL (SELECT shipped + 1 + make.pick(k, 38, 30)::int AS received) AS c;
UPDATE orders SET o_totalprice = l.total, o_orderstatus = l.status FROM (SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS total,
  CASE WHEN min(l_linestatus) = 'O' THEN 'O' WHEN max(l_linestatus) = 'F' THEN 'F' ELSE 'P' END AS status FROM lineitem GROUP BY l_orderkey) AS l WHERE o_orderkey = l_orderkey;
ALTER TABLE orders ADD PRIMARY KEY (o_orderkey);
ALTER TABLE lineitem ADD PRIMARY KEY (l_orderkey, l_linenumber);
DROP SCHEMA make CASCADE;
VACUUM FULL orders;
VACUUM (FREEZE, ANALYZE);
