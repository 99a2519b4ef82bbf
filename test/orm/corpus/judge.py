"""What is right: the findings of one run against its scenario, and the figures over many runs."""

READS = ("select", "count", "exists", "lookup")


class Verdict:
    """How one run was judged. A finding is a dict like those of scenarios.json, with level and batched beside."""

    def __init__(self, scenario, findings, client=""):
        self.scenario = scenario
        self.positive = bool(scenario["expect"])
        left = [finding for finding in findings if finding["kind"] != "server_loop" and finding["level"] != "info"]
        self.matched, self.missed = [], []
        for expected in (of_client(expected, client) for expected in scenario["expect"]):
            fitting = [finding for finding in left if same_loop(finding, expected)]
            if fitting:
                best = max(fitting, key=lambda finding: (right_kind(finding, expected), finding["repeats"]))
                left.remove(best)
                self.matched.append((best, expected))
            else:
                self.missed.append(expected)
        self.false = [finding for finding in left if not any(allows(also, finding) for also in scenario.get("also", []))]

    @property
    def word(self):
        words = [word for word, findings in (("missed", self.missed), ("false", self.false)) if findings]
        return " and ".join(words) or "right"

    def reported(self, level=None):
        """The findings for and against it, without those that the client may cause; all or of one level."""
        findings = [finding for finding, _ in self.matched] + self.false
        return [finding for finding in findings if level in (None, finding["level"])]


def of_client(expected, client):
    """Behind PgBouncer a client is what it is without."""
    return {**expected, **expected.get("as", {}).get(client.removesuffix("-pgbouncer"), {})}


def same_loop(finding, expected):
    """Reads and writes of the same table are different loops."""
    return (finding["child"] == expected["child"] and finding["parent"] == expected["parent"]
            and (finding["kind"] == "write") == (expected["kind"] == "write"))


def right_kind(finding, expected):
    return finding["kind"] in expected.get("kinds", [expected["kind"]])


def allows(also, finding):
    return (also["child"], also["kind"]) == (finding["child"], finding["kind"])


def share(flags):
    """The part of them that is true, and None of none."""
    flags = list(flags)
    return sum(flags) / len(flags) if flags else None


def figures(verdicts):
    """A scenario speaks if it has a finding; it is precise if all that it says is right."""
    matched = [pair for verdict in verdicts for pair in verdict.matched]
    false = [finding for verdict in verdicts for finding in verdict.false]
    missed = [expected for verdict in verdicts for expected in verdict.missed]

    def precision(level=None):
        return share(not any(finding in verdict.false for finding in verdict.reported(level))
                     for verdict in verdicts if verdict.reported(level))

    return {
        "precision": precision(),
        "recall": share(not verdict.missed for verdict in verdicts if verdict.positive),
        "likely precision": precision("likely"),
        "likely recall": share(not verdict.missed and all(finding["level"] == "likely" for finding, _ in verdict.matched)
                               for verdict in verdicts if verdict.positive),
        "finding precision": share([True] * len(matched) + [False] * len(false)),
        "finding recall": share([True] * len(matched) + [False] * len(missed)),
        "exact": share(finding["repeats"] == expected["repeats"] for finding, expected in matched),
        "direction": share(finding["direction"] == expected["direction"] for finding, expected in matched),
        "kind": share(right_kind(finding, expected) for finding, expected in matched),
        "rewrite": share(finding["batched"] for finding, expected in matched if expected["kind"] in READS),
    }
