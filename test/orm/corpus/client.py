"""What the clients in Python share: how the runner asks for a scenario.

`program --list` names the scenarios that the client does, `program NAME` does one, once.
"""

import sys
import time

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def check(actual, expected):
    """A client that did not do what it says must not be judged."""
    if actual != expected:
        raise SystemExit(f"expected {expected}, got {actual}")


def pause(milliseconds):
    time.sleep(milliseconds / 1000)


def main(around=lambda function: function()):
    """The client may say what is to happen around the one scenario."""
    if sys.argv[1] == "--list":
        print("\n".join(SCENARIOS))
    else:
        around(SCENARIOS[sys.argv[1]])
