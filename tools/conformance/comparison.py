"""Whether two replies are the same, where Redis itself leaves something open. A row of requests/ names one of these
functions behind `=>`; errors are compared word for word in any case."""

from replies import is_error

# What a server has taken between the same requests of two runs, at most, in units of the reply.
TOLERANCE = {"seconds": 60, "milliseconds": 60_000}

# Names of fields whose values are not compared.
AGES = {b"idle", b"radix-tree-keys", b"radix-tree-nodes", b"seen-time", b"id", b"version"}
# Subcommands of later versions that clients call when they connect.
LATER = [(b"$", b"client|no-touch"), (b"$", b"client|setinfo")]
# Milliseconds: a larger number is a point in time.
SINCE_1970 = 10**12


def same(name, request, ours, theirs):
    if ours == theirs:
        return True
    if ours[0] != theirs[0] or is_error(ours):
        return False
    return COMPARISONS[name](request, ours, theirs)


def exact(_, ours, theirs):
    return ours == theirs


def unordered(_, ours, theirs):
    """The same parts in any order; of SCAN's kind, where both have come to the end."""
    return _sorted(ours) == _sorted(theirs)


def rules(_, ours, theirs):
    """of users: the same, with the words of each text in any order"""
    return _sorted(ours, words=True) == _sorted(theirs, words=True)


def pairs(_, ours, theirs):
    """the same fields with the same values, in any order"""
    if ours[1] is None or theirs[1] is None or len(ours[1]) % 2 or len(theirs[1]) % 2:
        return False
    both = [sorted(zip(reply[1][::2], reply[1][1::2]), key=repr) for reply in (ours, theirs)]
    return both[0] == both[1]


def scan(request, ours, theirs):
    """Where a scan goes on is each server's own affair, and what is there."""
    if request[1 if request[0].upper() == b"SCAN" else 2] != b"0":
        return True
    if not all(isinstance(reply[1], list) and len(reply[1]) == 2 for reply in (ours, theirs)):
        return False
    if ours[1][0][1] != b"0" or theirs[1][0][1] != b"0":
        return True
    return unordered(request, ours[1][1], theirs[1][1])


def seconds(_, ours, theirs):
    """a time, with what the comparison itself takes"""
    return _near(ours, theirs, TOLERANCE["seconds"])


def milliseconds(_, ours, theirs):
    return _near(ours, theirs, TOLERANCE["milliseconds"])


def shape(_, ours, theirs):
    """The same kinds of replies, as many; their contents are random or the server's own."""
    return _shape(ours) == _shape(theirs)


def commands(request, ours, theirs):
    """of commands: the same in any order, without subcommands that Redis has in later versions, and without Redis's
    notes on keys"""
    return unordered(request, _of_commands(ours), _of_commands(theirs))


def kind(_, ours, theirs):
    """Only the kind of reply."""
    return True


def ages(_, ours, theirs):
    """Everything is the same except points in time, and what stands behind the names of AGES: idle times, how many
    nodes a stream's index has, a client's number, the server's version."""
    return _without_ages(ours, theirs)


def pending(_, ours, theirs):
    """the rows of XPENDING, whose third column is an idle time"""
    return _without_column(ours, 2) == _without_column(theirs, 2)


def encoding(_, ours, theirs):
    """Redis does not encode what INCRBYFLOAT leaves; here the content decides."""
    return {ours[1], theirs[1]} == {b"int", b"embstr"}


COMPARISONS = {
    function.__name__: function
    for function in (exact, unordered, rules, pairs, scan, seconds, milliseconds, shape, commands, kind, ages, pending, encoding)
}


def _sorted(reply, words=False):
    kind, content = reply
    if isinstance(content, list):
        return kind, sorted((_sorted(part, words) for part in content), key=repr)
    return kind, sorted(content.split()) if words and content else content


def _shape(reply):
    kind, content = reply
    if kind == b"$" and content is None:
        return kind, None
    return kind, [_shape(part) for part in content] if isinstance(content, list) else ""


def _is_later(part):
    """a name of LATER's, or what begins with one"""
    kind, content = part
    return part in LATER or isinstance(content, list) and bool(content) and content[0] in LATER


def _of_commands(reply):
    kind, content = reply
    if not isinstance(content, list):
        return reply
    notes = [part == (b"$", b"notes") for part in content]
    of_notes = [is_name or is_text for is_name, is_text in zip(notes, [False, *notes])]
    kept = [part for part, left_out in zip(content, of_notes) if not left_out and not _is_later(part)]
    return kind, [_of_commands(part) for part in kept]


def _near(ours, theirs, tolerance):
    if ours[0] != b":":
        return False
    ours, theirs = int(ours[1]), int(theirs[1])
    return ours > 0 and theirs > 0 and abs(ours - theirs) <= tolerance


def _without_ages(ours, theirs):
    if ours == theirs:
        return True
    if ours[0] != theirs[0]:
        return False
    if isinstance(ours[1], list) and isinstance(theirs[1], list) and len(ours[1]) == len(theirs[1]):
        names = [None, *ours[1]]
        return all(
            name == (b"$", name and name[1]) and name[1] in AGES or _without_ages(*parts)
            for name, *parts in zip(names, ours[1], theirs[1])
        )
    return ours[0] == b":" and int(ours[1]) > SINCE_1970 and _near(ours, theirs, TOLERANCE["milliseconds"])


def _without_column(reply, column):
    if not isinstance(reply[1], list):
        return reply
    return [row[1][:column] + row[1][column + 1 :] for row in reply[1]]
