"""What help says of things that are no command."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of help."""

    summary: str
    text: str


TOPICS = {
    "first": Topic(
        "a first look, line by line",
        """\
Press Tab at any time: it completes commands, options and tag names, one dotted part at a time.

  browse Plant                           what there is, one level at a time
  watch Plant.Tank1.Level                the value, above the prompt, as it changes
  write Plant.Tank1.Inlet.Position 60    opens the valve, and says what became of it
  why Plant.Tank1.Level                  what is known of a tag, and what is wrong with it
  status                                 the connection, the session, what runs on it
  help write                             how to write, with an example
  exit                                   leaves; Ctrl-D does too

A tag that is not there yet is registered, added and advised by itself.""",
    ),
    "values": Topic(
        "how a value is typed, and how one is shown",
        """\
A bare value takes the tag's own type: write TestChildObject.TestInt 5.

  int32:5  int64:5  float:5  double:5     the type, outright
  bool:true                              true or false
  string:5  "two words"  'a\\b'            quotes make a string; in double ones \\n \\t \\" \\\\ are escapes
  time:2026-10-02T08:14:00Z              a time, with its zone
  [1, 2, 3]                              an array: it replaces the whole array

A value is always shown with its quality and its age. good, uncertain and bad are MXAccess's words;
stale means that nobody knows whether it still holds, and since when.""",
    ),
    "writes": Topic(
        "what becomes of a write",
        """\
  completed   MXAccess reported it as done
  accepted    MXAccess took it; its end was not seen in the time given (--for)
  REFUSED     by MXAccess, and why; last-error shows all of it
  UNKNOWN     it may or may not have happened; it was not sent again: look before you repeat it

write … --verify waits until the tag has the value that was written. disarm makes a connection
read-only, for what is typed, for files and for Python; arm ends that.""",
    ),
    "keys": Topic(
        "keys at the prompt",
        """\
  Tab                 completes; again: the next of several
  Up, Down            earlier lines; Ctrl-R searches them
  Ctrl-C              stops the command that runs, or clears the line; never leaves the shell.
                      A second one within two seconds no longer waits for it
  Ctrl-D              on an empty line: leaves, and says what is still open
  Ctrl-A, Ctrl-E      start and end of the line; Ctrl-W, Ctrl-U delete a word, the line
  set keys vi         editing as in vi

In what fills the screen, its last line shows the keys; q leaves. Several lines pasted at once are
shown first, and run when you say so.""",
    ),
    "files": Topic(
        "running lines without a prompt",
        """\
  mxgw-shell --demo -c FILE.mxs           a file of lines; # begins a comment
  mxgw-shell --demo -e 'status'           a line; may be repeated
  echo 'status' | mxgw-shell --demo       standard input
  --json, --csv                           for programs

A run stops at the first line that fails. Exit codes: 0 done, 1 expectation not met, 2 a mistake in
what was typed, 3 refused, 4 cannot connect, 5 refused by a guard here, 6 outcome unknown,
130 interrupted.""",
    ),
}
"""By name."""
