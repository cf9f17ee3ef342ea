"""Help topics: pages that are not about one command."""

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
  write Plant.Tank1.Inlet.Position 60    opens the valve and reports the outcome; the tank fills
  trend Plant.Tank1.Level                drawn over time, until Ctrl-C
  alarms                                 the active alarms, soon with the tank's; ack acknowledges one
  record tank.csv                        every sample of what is advised, to a file
  why Plant.Tank1.Level                  everything known about a tag, and what is wrong with it
  why Utilities.AT1.PH                   a tag of the demo whose sensor has failed
  status                                 the connection, the session, and what runs on it
  help write                             how to write, with an example
  exit                                   leaves; Ctrl-D does too

A new tag is registered, added and advised automatically.""",
    ),
    "values": Topic(
        "how values are typed and shown",
        """\
A bare value gets the tag's type: write TestChildObject.TestInt 5.

  int32:5  int64:5  float:5  double:5     the given type
  bool:true                               true or false
  string:5  "two words"  'a\\b'            quotes make a string; in double ones \\n \\t \\" \\\\ are escapes
  time:2026-10-02T08:14:00Z               a time, with its zone
  [1, 2, 3]                               an array: it replaces the whole array

write TAG[3] 5 writes the third element alone. write-many FILE.csv takes tags and values from a file.

A value is always shown with its quality and its age. good, uncertain and bad are MXAccess's words;
stale means that it may have changed meanwhile, and since when.""",
    ),
    "writes": Topic(
        "the results of a write",
        """\
  refused here (exit code 5), refused there (3), completed (0), completed and verified (0),
  unknown (6), not verified (1). The word is result in JSON. What a line says of it:

  completed   MXAccess reported it as done
  accepted    MXAccess took it; its completion was not seen in time (--timeout)
  REFUSED     by MXAccess, with the reason; last-error shows all of it
  UNKNOWN     it may or may not have happened, or may still happen for up to 75 s: the gateway runs a
              command to its end, also when nobody waits for it any more. It is not sent again.
              The shell reports when the tag has the value, or that it was not seen within 90 s; status
              and why TAG show it meanwhile. Check before you repeat it

write … --verify looks whether the tag has the written value, and shows it.
help safety says what may be written at all.""",
    ),
    "safety": Topic(
        "what may be written, and for how long",
        """\
Nothing, at first: a connection is read-only. Only --demo, whose plant is simulated, is open.

  arm Plant.Tank1.*                      opens these tags for 10 minutes; * is any text, ? one character
  arm Plant.Pump1.Start --for 30s --reason "test run"
  disarm                                 closes the connection
  status                                 what is armed, for how long, and why it is not any more

The prompt counts down what is armed, for this connection alone. It is closed again at the end of the
time, after a lost session or event stream, a deployment of the galaxy or a sleep of this machine, and
never survives connecting again. It holds for every way to write: write, files, call, Python, and ack.

A file says at its beginning what it writes, and lint compares each line with that:

  requires write "Plant.Tank1.*" "Plant.Pump1.Start"

  mxgw-shell --profile plantA -c fill.mxs --arm "Plant.*" --reason "batch 7"

runs it if --arm, or the arms of the profile, cover what it declares; and what it declares is all that it
can write. -e, lines from standard input and Python files write what --arm names. In a run, after a lost
session only the lines after finally may still write.

A profile may say: read_only = true, arms = ["Plant.*"], arm_needs_reason = true, arm_longest = "10m".""",
    ),
    "gateway": Topic(
        "what a gateway does on its own",
        """\
  sessions    An administrator can close a session, or kill its worker, from the gateway's dashboard at
              any moment. The shell opens another session with the same items; users log in again.
  keys        A session can be used with any key that has the scopes: attach needs its id alone, so
              treat session ids like keys.
  galaxy      After a restart the gateway may serve the galaxy from a copy while its database is down.
              browse, find and Tab show that copy. galaxy and doctor ask the database itself.
  alarms      While the alarm manager is away, alarms come from subtags: a reference then names the
              object's own area, and an acknowledgement that is taken back is not reported: the alarm
              may go on being shown as acknowledged.
  buffered    One sample is delivered at a time, and the interval is rounded up to 100 ms.
  health      The gateway's health service needs no key and always says that all is well. It proves
              only that the process runs; use doctor, ping and galaxy.
  commands    A command runs for up to 75 s, also when its caller has given up; then the gateway ends
              the worker. See help writes.

ping, session and galaxy show how the gateway is now.""",
    ),
    "keys": Topic(
        "keys at the prompt",
        """\
  Tab                 completes; again: the next of several
  Up, Down            earlier lines; Ctrl-R searches them, Enter takes what was found,
                      Ctrl-G gives the line back that was there before
  Ctrl-C              stops the command that runs, or clears the line; never leaves the shell.
                      A second one within two seconds also stops waiting for its end
  Ctrl-D              on an empty line: leaves, and says what is still open
  Ctrl-A, Ctrl-E      start and end of the line; Ctrl-W, Ctrl-U delete a word, the line
  Ctrl-L, clear       clear the screen
  set keys vi         editing as in vi; its mode begins the last line: INSERT, NORMAL, REPLACE, VISUAL
  !ls                 is refused: a shell on a plant does not start programs

A view that fills the screen shows its keys in the last line; q leaves it. A result that is longer
than the screen comes a page at a time (set pager off prints it): what you type there and is no key
of it is shown, Enter leaves with it at the prompt, Esc drops it. What is typed or pasted while a
command runs appears under it, and stands at the prompt afterwards: Enter runs it then, Ctrl-C
drops it. So nothing runs behind a line that failed, and nothing answers a question before it is
asked. Several lines at once are shown first, and run when you confirm.""",
    ),
    "script": Topic(
        "writing a command file with checks",
        """\
A file has the same lines as the prompt; # begins a comment. These check and arrange:

  requires write "Plant.LC1.*"           what the file writes; first of all: help safety
  let sp = 70                            $sp is 70 from here on; --var sp=60 overrides it
  include loop.mxs with area=P each a.csv   the lines of another file, once for each row of names
  step "1 fill" req URS-12               a part of the run, until the next step; what it proves
  expect TAG >= 69                       stops here unless it is met now: = != < <= > >= ~ (matches)
         … within 5..10   in [1, 2, 3]   = tag:OTHER   every GLOB|LIST, any GLOB|LIST before them
         … tol 0.5 or 2%  quality good  age < 5s  for 10s
  wait TAG >= 69 hold 2s timeout 60s     goes on once it has been met for 2 s without a break;
         … not before 1.5s               … fails if it was met earlier
  watchdog TAG < 95                      every value up to the next step has to meet it
  expect-alarm TAG active within 5s      or cleared; no-new-alarms; write TAG 5 --refused has to fail
  capture was = TAG                      $was is the present value of the tag
  note "text"   confirm "sure?"          a remark; a question to a person (--yes answers it)
  ask x "what does it show?"   secret pin   $x is a person's answer; $pin is shown as *** everywhere
  comment "text"   deviation "text"      an observation, for the record; the exit code stays
  on-error continue   time-limit 10m     goes on after a failure; ends then what the file waits for
  finally                                everything after it, to the end of the file, always runs
wait counts values seen since the first write after the last check; with `now` also the present one.
A bad, stale or null value, or NaN, never meets a condition. A file that passes on --demo:

  # level.mxs: the level follows its setpoint
  requires write "Plant.LC1.Auto" "Plant.Tank1.LevelSP"
  let sp = 63
  register acceptance
  step "1 automatic"
  write Plant.LC1.Auto true
  write Plant.Tank1.LevelSP $sp
  wait Plant.Tank1.Level = $sp tol 0.5 timeout 60s
  step "2 no alarm on the way"
  expect Plant.Tank1.Level.Hi.InAlarm = false
  finally
  write Plant.LC1.Auto false

  mxgw-shell lint level.mxs              finds every mistake; plan level.mxs says what would be written
  mxgw-shell --demo -c level.mxs --report-junit out.xml --report out.html

At the prompt source FILE runs a file, on this session: help source says what stays of it.
record-script FILE makes a file of the lines to come, --last 10 of the last ten.""",
    ),
    "files": Topic(
        "running lines without a prompt",
        """\
  mxgw-shell --demo -c FILE.mxs           a file of lines; # begins a comment
  mxgw-shell --demo -e 'status'           a line; may be repeated
  echo 'status' | mxgw-shell --demo       standard input
  --json, --csv                           for programs
  mxgw-shell --demo --python FILE.py      Python, with client, session, live, items and await mx("…")

help script explains how to write a file. A file is checked first: one with a mistake does not start.
A run stops at the first line that fails. A first Ctrl-C ends it after the running line, a second at
once; the lines after finally run in any case. Exit codes: 0 done, 1 expectation not met, 2 a mistake in
a line, 3 refused, 4 cannot connect, 5 refused by a local guard, 6 outcome unknown
or a timed write not put back, 7 something left changed (--leave-clean), 130 interrupted.""",
    ),
}
"""The topics by name."""
