"""Says what advised indexes are worth against a ground truth. Pure: it sees definitions, and no server.

A definition is what indexes.py reads from the catalog, so that all texts are the server's own and can be compared:
Index(name, table, method, keys, include, predicate), a key being Key(text, opclass, descending), the opclass "" for the
default one. A form of a need (truth file) is an Index too, whose name is nobody's affair.
"""

import collections
import re

Index = collections.namedtuple("Index", "name table method keys include predicate", defaults=((), ""))
Key = collections.namedtuple("Key", "text opclass descending", defaults=("", False))
Need = collections.namedtuple("Need", "name table best also optional")
Verdict = collections.namedtuple("Verdict", "met best matched wrong")

WIDER = 1  # how many columns an index may have beyond a form


def canonical(predicate):
    """Of the two texts of one array of words the server's for IN: 'a'::text in brackets. All else is the server's already."""
    def spelt_out(match):
        return "ARRAY[%s]" % ", ".join("'%s'::%s" % (word, match[2]) for word in match[1].split(","))
    return re.sub(r"""'\{([^{}"'\\ ]+)\}'::(text|character varying)\[\]""", spelt_out, predicate)


def texts(keys):
    return [(key.text, key.opclass) for key in keys]


def same_order(keys, form):
    """Directions count only where the form mixes them, and may all be the other way round: an index is read both ways."""
    wanted = [key.descending for key in form]
    found = [key.descending for key in keys]
    return len(set(wanted)) < 2 or found == wanted or found == [not descending for descending in wanted]


def fits(index, form):
    """Whether the index is the form, or the form with a little more."""
    begin = index.keys[:len(form.keys)]
    return ((index.table, index.method, index.predicate) == (form.table, form.method, form.predicate)
            and len(index.keys) <= len(form.keys) + WIDER
            and texts(begin) == texts(form.keys)
            and same_order(begin, form.keys))


def is_form(index, form):
    """The same without more columns, and with all that the form includes."""
    return fits(index, form) and len(index.keys) == len(form.keys) and set(form.include) <= set(index.include)


def covered(index, other):
    """Whether all that the index serves is served as well by the other: a btree of the same rows that begins like it."""
    return (index.table == other.table and index.method == other.method == "btree"
            and index.predicate == other.predicate
            and texts(other.keys[:len(index.keys)]) == texts(index.keys)
            and same_order(other.keys[:len(index.keys)], index.keys)
            and set(index.include) <= set(other.include) | {key.text for key in other.keys})


def distinct(indexes):
    """One of each definition: advice for each partition is one advice."""
    found = {}
    for index in indexes:
        found.setdefault(index._replace(name=""), index)
    return list(found.values())


def judge(advised, existing, needs, traps):
    """existing are the indexes that were there and stay; traps are pairs of a table and its columns, with a reason.

    met: need -> the index that meets it best; best: the needs of those met in a best form; matched: the indexes that meet some
    need; wrong: index -> why.
    """
    advised = distinct(advised)
    wrong = {}
    for number, index in enumerate(advised):
        later = [other for other in advised[number + 1:] if covered(index, other)]
        earlier = [other for other in advised[:number] if covered(index, other)]
        there = [other for other in existing if covered(index, other)]
        # Of two that cover each other the first stays.
        by = there + earlier + [other for other in later if not covered(other, index)]
        if by:
            wrong[index] = "served by " + describe(by[0])
    met, best = {}, []
    for need in needs:
        for index in advised:
            if index in wrong:
                continue
            if any(is_form(index, form) for form in need.best):
                met[need] = index
                best.append(need)
                break
            if need not in met and any(fits(index, form) for form in need.best + need.also):
                met[need] = index
    matched = [index for index in advised if index not in wrong
               and any(fits(index, form) for need in needs for form in need.best + need.also)]
    for index in advised:
        if index not in matched:
            wrong.setdefault(index, trapped(index, traps) or "no need for it")
    return Verdict(met, best, matched, wrong)


def trapped(index, traps):
    for table, columns, why in traps:
        if index.table == table and index.keys[0].text in columns:
            return "trap: " + why
    return None


def judge_drops(dropped, wanted):
    """Names of indexes: (wanted and dropped, wrongly dropped)."""
    return [name for name in dropped if name in wanted], [name for name in dropped if name not in wanted]


def describe(index):
    keys = ", ".join(" ".join(filter(None, (key.text, key.opclass, "DESC" if key.descending else ""))) for key in index.keys)
    return "%s %s(%s)%s%s" % (index.table, "" if index.method == "btree" else index.method + " ", keys,
                              " INCLUDE (%s)" % ", ".join(index.include) if index.include else "",
                              " WHERE " + index.predicate if index.predicate else "")
