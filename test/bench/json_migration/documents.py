"""Mixed JSON documents as applications store them; the same ones for the same seed.

Of a million, 40 % are events (compact), 30 % orders (nested, with Python's spaces), 13 % profiles, 10 % series of
measurements, 4 % indented settings and 3 % large reports, 690 bytes on average.
"""
import json
import random

WORDS = ("amber basin cedar delta ember fjord grove harbor island jasper kettle lagoon meadow nectar orchard pebble "
         "quarry river summit timber umbra valley willow yonder zephyr café naïve señor").split()
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2) Safari/604.1",
          "curl/8.5.0", "okhttp/4.12.0 (Android 14; Pixel 8 Pro)"]


class Documents:
    def __init__(self, seed, users):
        self.random = random.Random(seed)
        self.users = users
        self.kinds = [self.event, self.order, self.profile, self.series, self.settings, self.report]

    def __iter__(self):
        weights = [40, 30, 13, 10, 4, 3]
        while True:
            for make in self.random.choices(self.kinds, weights, k=1000):
                yield make.__name__, make()

    def user(self):
        return int(self.random.random() * self.users)

    def number(self, limit):
        return int(self.random.random() * limit)

    def pick(self, values):
        return values[int(self.random.random() * len(values))]

    def text(self, words):
        return " ".join(self.random.choices(WORDS, k=words))

    def code(self, digits):
        return "%0*x" % (digits, self.random.getrandbits(4 * digits))

    def moment(self):
        return "2026-%02d-%02dT%02d:%02d:%02d.%03dZ" % (1 + self.number(11), 1 + self.number(28), self.number(24),
                                                      self.number(60), self.number(60), self.number(1000))

    def event(self):
        return json.dumps({
            "user_id": self.user(), "type": self.pick(["view", "click", "scroll", "purchase"]), "at": self.moment(),
            "session": self.code(32), "page": "/%s/%s/%s" % (self.pick(WORDS), self.pick(WORDS), self.code(24)),
            "agent": self.pick(AGENTS), "ms": self.number(5000), "ratio": round(self.random.random(), 4),
            "first": self.number(2) == 0, "tags": self.random.choices(WORDS, k=3),
            "test": {"name": self.pick(WORDS), "variant": self.pick("ab")}}, separators=(",", ":"))

    def item(self):
        return {"sku": self.code(8).upper(), "name": self.text(2), "quantity": 1 + self.number(5),
                "price": self.number(100000) / 100, "taxed": self.number(2) == 0}

    def order(self):
        return json.dumps({
            "order": self.number(10**9), "user_id": self.user(), "status": self.pick(["new", "paid", "sent", "back"]),
            "placed": self.moment(), "items": [self.item() for _ in range(4)],
            "ship_to": {"street": self.text(3), "city": self.pick(WORDS), "zip": "%05d" % self.number(10**5)},
            "total": self.number(10**6) / 100, "coupon": None})

    def profile(self):
        return json.dumps({
            "user_id": self.user(), "name": self.text(2).title(), "mail": "%s@example.com" % self.code(10),
            "about": self.text(50), "languages": self.random.choices(["en", "de", "fr", "es"], k=2),
            "settings": {"theme": self.pick(["dark", "light"]), "news": True, "page_size": 50},
            "seen": self.moment(), "followers": self.number(10**5)}, ensure_ascii=False)

    def series(self):
        return json.dumps({"user_id": self.user(), "sensor": self.code(6),
                           "values": [round(self.random.random() * 100, 4) for _ in range(45)]},
                          separators=(",", ":"))

    def settings(self):
        return json.dumps({"user_id": self.user(), "version": "1.%d" % self.number(30),
                           "rules": [{"id": self.number(1000), "when": self.text(2), "then": {"do": self.pick(WORDS)}}
                                     for _ in range(7)]}, indent=2)

    def report(self):
        return json.dumps({"user_id": self.user(), "title": self.text(4), "at": self.moment(),
                           "lines": [self.item() for _ in range(75)], "notes": self.text(100)})
