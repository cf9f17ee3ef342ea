"""Timed writes in words: what happened to a revert, when it is due, and what earlier sessions left behind."""

from zb_mom_ww_mxgateway.safety.revert_files import DamagedRevert, RevertRecord
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertEvent, RevertNews, RevertStage
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import age_text, safe, value_text


def news_text(news: RevertNews) -> str:
    """Return news that a person should be told; empty for what the line that they typed tells anyway."""
    revert = news.revert
    tag, value = safe(revert.tag), value_text(revert.original)
    match news.event:
        case RevertEvent.MADE:
            return f"{tag} is put back to {value}"
        case RevertEvent.BACK:
            return f"{tag} is {value} again already, as before its timed write: nothing was sent"
        case RevertEvent.DELAYED:
            return f"{tag} is due to be put back to {value}, and cannot be yet: {news.why}"
        case RevertEvent.ASKS:
            now = value_text(news.present.value) if news.present is not None else "unknown"
            return (
                f"{tag} is NOT put back, because its value is not ours: it was {value}, ours is {ours_text(revert)}, "
                f"and it is {now} now; {choices_text(revert.tag)}"
            )
        case RevertEvent.FAILED:
            return f"{tag} is NOT put back to {value}: {news.why}; {choices_text(revert.tag)}"
        case RevertEvent.UNSURE:
            why = f": {news.why}" if news.why else ""
            return f"whether {tag} is put back to {value} is UNKNOWN{why}. It was not sent again"
        case RevertEvent.SLEPT:
            return f"this machine slept for {news.why} s: the time of {tag} is over, and it is put back to {value} now"
        case RevertEvent.UNSAVED:
            return f"the file of the timed write to {tag} is not up to date, so a crash may be told wrong: {news.why}"
    return ""


def left_behind_text(found: RevertRecord | DamagedRevert) -> str:
    """Return what an earlier session left behind, and what a person can do."""
    if isinstance(found, DamagedRevert):
        return (
            f"a timed write was left behind in {found.path}, which cannot be read: {found.why}. Nothing is done for "
            "it: read it, put the tag back yourself, and remove the file"
        )
    ours = " or ".join(map(value_text, found.ours))
    return (
        f"a write of {ours} to {safe(found.tag)} by {safe(found.who)} was to be put back to "
        f"{value_text(found.original)} at {date_and_time(found.due_at)}, and its session ended before: "
        f"{choices_text(found.tag)}"
    )


def not_put_back_text(revert: Revert) -> str:
    """Return that a timed write was not put back for certain before its connection is closed, and why."""
    tag, value = safe(revert.tag), value_text(revert.original)
    if revert.stage is RevertStage.MADE:
        left = age_text(revert.may_still_happen_for)
        return (
            f"{tag} is put back to {value}; a write of {ours_text(revert)} may still happen for {left}, and the next "
            "start at this gateway offers it again"
        )
    why = revert.why or {
        RevertStage.DOUBTFUL: "its outcome is unknown",
        RevertStage.QUESTION: f"its value is not ours ({ours_text(revert)})",
    }.get(revert.stage, "it could not be done in time")
    return f"{tag} is NOT put back to {value}: {why}; the next start at this gateway offers it again"


def choices_text(tag: str) -> str:
    """Return how a person decides about a revert."""
    name = f'"{safe(tag)}"' if " " in tag else safe(tag)
    return f"revert {name} puts it back, keep {name} leaves it"


def ours_text(revert: Revert) -> str:
    """Return the values that a tag may have because of a timed write."""
    return " or ".join(dict.fromkeys(value_text(_plain(each)) for each in revert.ours))


def countdown_text(revert: Revert) -> str:
    """Return the time left as ``0:21`` or ``1:00:05``, or the stage of a revert that only a person goes on with."""
    if revert.stage in (RevertStage.QUESTION, RevertStage.FAILED):
        return str(revert.stage)
    left = revert.planned_at - clock.monotonic()
    if revert.stage is not RevertStage.PENDING or left <= 0:
        return "due"
    minutes, seconds = divmod(int(left), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _plain(value: object) -> object:
    return value.sent if isinstance(value, Typed) else value
