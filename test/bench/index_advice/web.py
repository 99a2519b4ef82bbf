"""The web workload: what an application asks, with what values and how often.

STATEMENTS is a list of Statement(name, calls, sql, values, held_out); values(pick) makes one call's parameters. The same
calls in the same order each time: each statement draws from its own generator. The ground truth that goes with them is
web_truth.json, written before any advisor of ours ran.
"""

import collections
import datetime
import random
import uuid
import hashlib

Statement = collections.namedtuple("Statement", "name calls sql values held_out")

SYLLABLES = ("ba ke li mo nu ra se ti vo zu".split(), "lan mer nit pol rus sta ten vik wor xan".split(),
             "a by cho der el fin go ham is ju ka lot my ner ox py qua rig sol tum".split())


def word(n):
    first, second, third = SYLLABLES
    return first[n % 10] + second[n // 10 % 10] + third[n // 100 % 20]


class Pick:
    """Draws values; n(60000) is what that count of rows is at the scale of the run."""

    def __init__(self, name, scale, run=0):
        self.random = random.Random("web %s %d" % (name, run))
        self.scale = scale

    def n(self, rows):
        return max(1, round(rows * self.scale))

    def row(self, rows):
        return 1 + self.random.randrange(self.n(rows))

    def skew(self, count):
        return 1 + int(count * self.random.random() ** 2)

    def user(self):
        return self.skew(self.n(50000))

    def time(self, first, last):
        first = datetime.datetime.fromisoformat(first)
        seconds = (datetime.datetime.fromisoformat(last) - first).total_seconds()
        return first + datetime.timedelta(seconds=self.random.randrange(int(seconds)))

    def session(self):
        return str(uuid.UUID(hashlib.md5(b"%d/1" % self.row(30000)).hexdigest()))

    def word(self):
        return word(self.skew(2000) - 1)


def stamp(moment):
    return moment.isoformat(" ") + "+00" if isinstance(moment, datetime.datetime) else moment.isoformat()


def span(pick, first, last, **length):
    start = pick.time(first, last)
    return [stamp(start), stamp(start + datetime.timedelta(**length))]


def integer(p, low, high):
    return p.random.randint(low, high)


LAST = "2026-06-30 12:00:00+00"
STATEMENTS = []


def add(name, calls, sql, values=lambda p: [], held_out=False):
    STATEMENTS.append(Statement(name, calls, " ".join(sql.split()), values, held_out))


def held(name, calls, sql, values=lambda p: []):
    add(name, calls, sql, values, True)


# ---- The shop --------------------------------------------------------------------------------------------

add("tenant", 300, "SELECT * FROM tenants WHERE id = $1", lambda p: [p.skew(200)])
add("setting", 300, "SELECT value FROM settings WHERE scope = $1 AND name = $2",
    lambda p: ["scope%d" % integer(p, 0, 4), "name%d" % integer(p, 0, 12)])
add("exchange_rate", 150, "SELECT rate FROM exchange_rates WHERE currency = $1 AND day = $2",
    lambda p: [p.random.choice(["usd", "gbp", "chf"]), stamp(p.time("2026-01-02", "2026-10-20").date())])
add("user", 600, "SELECT id, tenant_id, name, email FROM users WHERE id = $1", lambda p: [p.user()])
add("login", 100, "SELECT id, password_hash FROM users WHERE lower(email) = lower($1)",
    lambda p: (lambda i: ["%s%d@example.com" % (word(i % 2000), i)])(p.row(50000)))
add("team", 80, """SELECT id, name FROM users WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY name LIMIT 20""",
    lambda p: [p.skew(200)])
add("rename", 60, "UPDATE users SET name = $2 WHERE id = $1", lambda p: [p.user(), p.word()])
add("session", 700, "SELECT user_id, data FROM sessions WHERE id = $1", lambda p: [p.session()])
add("heartbeat", 1200, "UPDATE sessions SET last_seen_at = now() WHERE id = $1", lambda p: [p.session()])
add("sessions_of_user", 60, "SELECT id, ip, last_seen_at FROM sessions WHERE user_id = $1", lambda p: [p.user()])
add("seen_lately", 4, "SELECT count(*) FROM sessions WHERE last_seen_at > $1",
    lambda p: [stamp(p.time("2026-06-29 16:00:00", "2026-06-29 16:30:00"))])
add("profile_by_phone", 50, """SELECT "userId", "displayName" FROM "User Profiles" WHERE "phoneNumber" = $1""",
    lambda p: ["+49%d" % integer(p, 1000000000, 9999999999)])
add("category", 250, "SELECT id, name FROM categories WHERE slug = $1", lambda p: ["category-%d" % p.skew(500)])
add("subcategories", 150, "SELECT id, name FROM categories WHERE parent_id = $1", lambda p: [p.skew(50)])
add("product_by_sku", 300, "SELECT id, name, price FROM products WHERE tenant_id = $1 AND sku = $2",
    lambda p: [p.skew(200), "SKU-%d" % p.row(30000)])
add("product_by_barcode", 80, "SELECT id, name, price FROM products WHERE barcode = $1",
    lambda p: ["%d" % integer(p, 4000000000000, 4999999999999)])
add("products_tagged", 30, "SELECT id, name FROM products WHERE tags && $1::text[]",
    lambda p: [["tag%d" % integer(p, 200, 799), "tag%d" % integer(p, 400, 799)]])
add("products_like", 30, "SELECT id, name FROM products WHERE attributes @> $1::jsonb",
    lambda p: ['{"vendor": %d, "size": %d}' % (integer(p, 0, 299), integer(p, 0, 39))])
add("products_found", 30, "SELECT id, name FROM products WHERE name ILIKE $1", lambda p: ["%%%s%%" % word(integer(p, 400, 1999))])
add("shelf", 80, """SELECT id, name, price FROM products WHERE category_id = $1 AND price BETWEEN $2 AND $3
    ORDER BY price LIMIT 24""", lambda p: (lambda low: [p.skew(500), low, low + 150])(integer(p, 1, 300)))
add("newest_products", 30, "SELECT id, name, price FROM products ORDER BY created_at DESC LIMIT 12")
add("reviews_by", 50, "SELECT id, product_id, rating FROM reviews WHERE author_id = $1", lambda p: [p.user()])
add("stock_taken", 600, """UPDATE stock_levels SET quantity = quantity - 1, updated_at = now()
    WHERE product_id = $1 AND warehouse_id = $2""", lambda p: [p.row(20000), integer(p, 1, 2)])
add("stock_low", 4, "SELECT product_id, warehouse_id FROM stock_levels WHERE quantity < $1", lambda p: [22])
add("cart_dropped", 40, "DELETE FROM carts WHERE session_token = $1",
    lambda p: [hashlib.md5(b"cart%d" % p.row(40000)).hexdigest()])
add("orders_page", 90, """SELECT id, number, status, total, created_at FROM orders WHERE tenant_id = $1
    ORDER BY created_at DESC, id DESC LIMIT 20""", lambda p: [p.skew(200)])
add("orders_next_page", 60, """SELECT id, number, status, total, created_at FROM orders
    WHERE tenant_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT 20""",
    lambda p: [p.skew(200), stamp(p.time("2026-02-01", "2026-06-29")), p.row(120000)])
add("orders_failed", 25, "SELECT id, tenant_id, created_at FROM orders WHERE status = 'failed' ORDER BY created_at DESC LIMIT 100")
add("orders_of_user", 80, "SELECT id, number, total FROM orders WHERE user_id = $1 ORDER BY created_at DESC", lambda p: [p.user()])
add("order_by_reference", 50, "SELECT id, status FROM orders WHERE number = $1 OR external_ref = $2",
    lambda p: ["ORD-%09d" % p.row(120000), "EXT%d" % integer(p, 0, 9999999)])
add("orders_in_status", 40, "SELECT count(*) FROM orders WHERE tenant_id = $1 AND status = $2",
    lambda p: [p.skew(200), p.random.choice(["new", "paid", "shipped", "cancelled"])])
add("takings", 20, """SELECT date_trunc('day', created_at) AS day, count(*), sum(total) FROM orders
    WHERE created_at >= $1 AND created_at < $2 GROUP BY 1 ORDER BY 1""", lambda p: span(p, "2026-01-01", "2026-06-20", days=5))
add("order_lines", 120, """SELECT o.number, o.status, i.quantity, i.price, p.name FROM orders AS o
    JOIN order_items AS i ON i.order_id = o.id JOIN products AS p ON p.id = i.product_id WHERE o.id = $1""", lambda p: [p.row(120000)])
add("order_goods", 50, "SELECT number, status, goods FROM order_totals WHERE id = $1", lambda p: [p.row(120000)])
add("order_gone", 6, "DELETE FROM orders WHERE id = $1", lambda p: [p.row(120000)])
add("product_sales", 60, "SELECT sum(quantity), count(*) FROM order_items WHERE product_id = $1", lambda p: [p.skew(p.n(30000))])
add("new_order", 150, """INSERT INTO orders (tenant_id, user_id, number, status, total, created_at, shipping_address, note)
    VALUES ($1, $2, $3, 'new', $4, $5, '111 Long Street, Some Town', 'note 123456')""",
    lambda p: [p.skew(200), p.user(), "NEW-%d" % integer(p, 1, 10 ** 9), integer(p, 5, 300), LAST])
add("new_item", 400, "INSERT INTO order_items (order_id, product_id, quantity, price) SELECT max(id), $1, $2, $3 FROM orders",
    lambda p: [p.skew(p.n(30000)), integer(p, 1, 5), integer(p, 1, 50)])
add("new_order_audit", 600, "INSERT INTO order_audit (order_id, actor_id, what, at) VALUES ($1, $2, 'changed status', now())",
    lambda p: [p.row(120000), integer(p, 1, 5000)])
add("audit", 25, "SELECT action, count(*) FROM audit_log WHERE at >= $1 AND at < $2 GROUP BY action",
    lambda p: span(p, "2026-01-02", "2026-06-25", hours=12))
add("new_audit", 400, "INSERT INTO audit_log (tenant_id, actor_id, action, at, detail) VALUES ($1, $2, $3, $4, '%s')" % ("d" * 40),
    lambda p: [p.skew(200), p.user(), "action%d" % integer(p, 0, 11), LAST])
add("job_taken", 90, """UPDATE jobs SET state = 'running', locked_at = now() WHERE id = (SELECT id FROM jobs
    WHERE queue = $1 AND state = 'ready' AND run_at <= $2 ORDER BY priority DESC, run_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, args""",
    lambda p: ["queue%d" % (p.skew(6) - 1), LAST])
add("job_tried", 200, "UPDATE jobs SET attempts = attempts + 1 WHERE id = $1", lambda p: [p.row(60000)])
add("unread", 100, """SELECT id, title, created_at FROM notifications WHERE user_id = $1 AND read_at IS NULL
    ORDER BY created_at DESC LIMIT 10""", lambda p: [p.user()])
add("all_read", 30, "UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL", lambda p: [p.user()])
add("outbox_next", 60, "SELECT id, topic, body FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 50")
add("outbox_sent", 150, "UPDATE outbox SET sent_at = now() WHERE id = $1", lambda p: [p.row(59000)])
add("new_outbox", 100, "INSERT INTO outbox (topic, body, created_at) VALUES ($1, '{\"n\": 1}', now())", lambda p: ["topic%d" % integer(p, 0, 8)])
add("events_of_tenant", 40, """SELECT id, kind, occurred_at FROM events WHERE tenant_id = $1 AND occurred_at >= $2 AND occurred_at < $3
    ORDER BY occurred_at DESC LIMIT 100""", lambda p: [p.skew(200)] + span(p, "2026-03-02", "2026-06-20", days=9))
add("events_of_path", 20, "SELECT id, tenant_id, occurred_at FROM events WHERE payload ->> 'path' = $1", lambda p: ["/p/%d" % integer(p, 0, 4999)])
add("new_event", 200, "INSERT INTO events (tenant_id, occurred_at, kind, payload) VALUES ($1, $2, 'click', $3)",
    lambda p: [p.skew(200), stamp(p.time("2026-06-28", "2026-06-30")), '{"path": "/p/%d", "ms": 5}' % integer(p, 0, 4999)])
add("documents_about", 8, "SELECT id, title FROM documents WHERE to_tsvector('english', body) @@ plainto_tsquery('english', $1)",
    lambda p: ["%s %s" % (word(integer(p, 200, 1999)), word(integer(p, 200, 1999)))])
add("conversation", 80, "SELECT sender_id, sent_at, body FROM messages WHERE conversation_id = $1 ORDER BY sent_at DESC LIMIT 30",
    lambda p: [p.skew(8000)])
add("conversations", 25, """SELECT DISTINCT ON (conversation_id) conversation_id, sent_at, body FROM messages
    WHERE conversation_id = ANY ($1::bigint[]) ORDER BY conversation_id, sent_at DESC""", lambda p: [[p.skew(8000) for i in range(8)]])
add("last_sent", 40, "SELECT max(sent_at) FROM messages WHERE sender_id = $1", lambda p: [p.user()])
add("new_message", 250, "INSERT INTO messages (conversation_id, sender_id, sent_at, body) VALUES ($1, $2, $3, 'hello')",
    lambda p: [p.skew(8000), p.user(), LAST])
add("invoices_of_day", 30, "SELECT id, number, amount FROM billing.invoices WHERE issued_at::date = $1",
    lambda p: [stamp(p.time("2025-07-02", "2026-06-20").date())])
add("overdue", 30, "SELECT id, number, amount, due_on FROM billing.invoices WHERE paid_at IS NULL AND due_on < $1 ORDER BY due_on LIMIT 50",
    lambda p: [stamp(p.time("2025-09-01", "2026-06-20").date())])
add("new_payment", 60, "INSERT INTO billing.payments (invoice_id, amount, received_at) VALUES ($1, $2, now())",
    lambda p: [p.row(50000), integer(p, 10, 500)])

# ---- The help desk (held out) --------------------------------------------------------------------------------

held("desk", 60, """SELECT id, subject, priority, created_at FROM tickets WHERE assignee_id = $1 AND status IN ('open', 'pending')
    ORDER BY priority DESC, created_at LIMIT 25""", lambda p: [p.skew(400)])
held("my_tickets", 60, "SELECT id, subject, status FROM tickets WHERE requester_id = $1 ORDER BY created_at DESC LIMIT 20", lambda p: [p.skew(20000)])
held("ticket_by_external", 40, "SELECT id, subject FROM tickets WHERE custom ->> 'external_id' = $1", lambda p: ["Z%d" % integer(p, 0, 999999)])
held("escalated", 25, "SELECT id, subject, assignee_id FROM tickets WHERE status = 'escalated' ORDER BY created_at")
held("labelled", 25, "SELECT id, subject FROM tickets WHERE label_ids && $1::int[]", lambda p: [[integer(p, 300, 599), integer(p, 300, 599)]])
held("ticket", 80, """SELECT t.subject, t.status, c.author_id, c.body FROM tickets AS t JOIN ticket_comments AS c ON c.ticket_id = t.id
    WHERE t.id = $1 ORDER BY c.created_at""", lambda p: [p.row(80000)])
held("ticket_gone", 6, "DELETE FROM tickets WHERE id = $1", lambda p: [p.row(80000)])
held("ticket_touched", 300, "UPDATE tickets SET updated_at = now() WHERE id = $1", lambda p: [p.row(80000)])
held("tickets_by_status", 3, "SELECT status, count(*) FROM tickets GROUP BY status")
held("activity", 40, "SELECT count(*) FROM ticket_comments WHERE author_id = $1 AND created_at >= $2",
     lambda p: [p.skew(4000), stamp(p.time("2026-05-01", "2026-06-20"))])
held("newest_comments", 25, "SELECT id, ticket_id, body FROM ticket_comments ORDER BY created_at DESC LIMIT 15")
held("new_comment", 200, "INSERT INTO ticket_comments (ticket_id, author_id, created_at, body) SELECT max(id), $1, $2, 'thanks' FROM tickets",
     lambda p: [p.skew(4000), LAST])
held("article", 250, "SELECT title, body FROM articles WHERE slug = $1", lambda p: ["article-%d" % p.row(8000)])
held("articles_about", 15, "SELECT id, title FROM articles WHERE search @@ to_tsquery('simple', $1)",
     lambda p: ["%s & %s" % (word(integer(p, 200, 1999)), word(integer(p, 200, 1999)))])
held("articles_titled", 15, "SELECT id, title FROM articles WHERE title ILIKE $1", lambda p: ["%%%s%%" % word(integer(p, 400, 1999))])
held("contacts_named", 40, "SELECT id, first_name, last_name FROM contacts WHERE lower(last_name) LIKE $1", lambda p: ["%s%%" % word(integer(p, 0, 1999))])
held("contact_calling", 50, "SELECT id, first_name, last_name FROM contacts WHERE phone = $1 OR mobile = $2",
     lambda p: ["0%d" % integer(p, 0, 9999999), "1%d" % integer(p, 0, 9999999)])
held("contact", 200, "SELECT id, first_name, last_name FROM contacts WHERE email = $1", lambda p: ["contact%d@example.org" % p.row(60000)])
held("contacts_in", 60, "SELECT id, last_name FROM contacts WHERE city = $1 ORDER BY last_name LIMIT 30", lambda p: ["City %d" % p.skew(300)])
held("api_key", 250, "SELECT id, secret_hash FROM api_keys WHERE prefix = $1 AND NOT revoked",
     lambda p: [hashlib.md5(b"k%d" % integer(p, 1, 400)).hexdigest()[:8]])
held("views", 20, """SELECT path, count(*), avg(ms) FROM page_views WHERE viewed_at >= $1 AND viewed_at < $2 GROUP BY path
    ORDER BY 2 DESC LIMIT 10""", lambda p: span(p, "2026-04-01", "2026-06-25", hours=6))
held("new_view", 400, "INSERT INTO page_views (visitor, path, viewed_at, ms) VALUES ($1, $2, $3, $4)",
     lambda p: [p.session(), "/help/%d" % p.skew(900), LAST, integer(p, 0, 900)])
held("report", 800, "UPDATE device_status SET reported_at = now(), battery = $2 WHERE id = $1", lambda p: [p.row(20000), integer(p, 10, 99)])
held("battery_low", 3, "SELECT id, serial FROM device_status WHERE battery < $1", lambda p: [12])
held("device", 50, "SELECT id, battery, firmware FROM device_status WHERE serial = $1", lambda p: ["SN%d" % integer(p, 0, 99999999)])
held("emails_due", 50, """UPDATE email_queue SET state = 'sent', sent_at = now() WHERE id IN (SELECT id FROM email_queue
    WHERE state = 'queued' AND send_after <= $1 ORDER BY send_after LIMIT 5 FOR UPDATE SKIP LOCKED) RETURNING id, recipient""", lambda p: [LAST])
held("new_access", 400, "INSERT INTO access_log (contact_id, path, at, status) VALUES ($1, $2, now(), 200)",
     lambda p: [p.row(60000), "/a/%d" % integer(p, 0, 99)])
held("renewals", 30, "SELECT id, customer_id FROM subscriptions WHERE status = 'active' AND renews_on BETWEEN $1 AND $2",
     lambda p: [stamp(day.date()) for day in (lambda d: (d, d + datetime.timedelta(days=2)))(p.time("2026-01-02", "2027-12-20"))])
held("plan_ends", 25, "SELECT max(ends_at) FROM subscriptions WHERE plan_id = $1", lambda p: [p.skew(200)])
held("subscriptions_of", 50, "SELECT id, plan_id, seats FROM subscriptions WHERE customer_id = $1 AND cancelled_at IS NULL", lambda p: [p.row(40000)])
held("seats", 30, "UPDATE subscriptions SET seats = $2 WHERE license_key = $1",
     lambda p: [hashlib.md5(b"l%d" % p.row(50000)).hexdigest(), integer(p, 1, 50)])


def calls(scale, share, run):
    """All calls, as (statement, parameters), in their order; share reduces how many of each there are.

    Each run asks the same with other values: a row that is deleted is not there to be deleted again. New rows are as
    long as those that were loaded, so that they do not fill gaps in old pages, which no append-only table has.
    """
    everything = []
    for statement in STATEMENTS:
        pick = Pick(statement.name, scale, run)
        count = max(3, round(statement.calls * share))
        everything += [(statement, statement.values(pick)) for i in range(count)]
    random.Random("order").shuffle(everything)
    return everything
