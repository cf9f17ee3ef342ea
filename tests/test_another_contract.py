"""Library, simulator and programs under a contract in which no number is ours: their own tests hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from permuted_contract import write_permuted

TESTS = Path(__file__).parent
# Tests that spell out no number of the contract. Of the programs' tests, which take longer, those that send or read
# each kind of message: what a line of arguments cannot mean is the same under every contract.
RUNS = {
    "library": (
        "library/test_writing.py",
        "library/test_live_tags.py",
        "library/test_alarms.py",
        "library/test_galaxy.py",
    ),
    "mxgw-py": (
        *(
            f"cli/test_cli_bulk_writes.py::test_{name}"
            for name in (
                "many_values_are_written",
                "a_refused_entry_is_reported_at_its_place",
                "source_times_are_written",
                "secured_writes_are_made_for_users",
                "users_are_authenticated_by_the_command_that_writes_for_them[write-secured2-bulk]",
                "a_lost_reply_is_an_unknown_outcome",
            )
        ),
        *(
            f"cli/test_cli_tags.py::test_{name}"
            for name in (
                "tags_are_read_in_one_step_and_nothing_is_left_behind",
                "a_batch_keeps_its_standard_input_and_its_form",
                "a_tag_is_written_in_one_step_in_its_own_type[Plant.Tank1.LevelSP-60-60.0]",
                "a_tag_is_written_in_one_step_in_its_own_type[TestChildObject.TestBool-TRUE-True]",
                "a_tag_is_written_in_one_step_in_its_own_type[TestChildObject.TestString-007-007]",
                "an_array_of_texts_is_written_as_it_is_typed",
                "a_write_that_is_refused_and_a_value_that_cannot_be",
                "a_write_whose_answer_is_lost_is_unknown_and_sent_once",
                "a_key_that_may_not_write_writes_nothing",
            )
        ),
    ),
    "mxgw-shell": tuple(
        f"shell/test_shell_alarms.py::test_{name}"
        for name in (
            "a_new_alarm_is_shown_above_the_prompt_listed_acknowledged_and_counted",
            "a_cleared_alarm_waits_for_its_acknowledgement",
            "in_subtag_mode_ack_says_that_it_is_impossible",
            "a_gateway_without_alarms_disturbs_nothing_else",
            "alarms_are_followed_to_an_end",
            "alarms_in_a_file_are_read_when_asked_for",
            "events_are_filtered_by_tag_and_family_and_counted",
            "a_gap_is_shown_whatever_is_filtered",
        )
    ),
}


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("seed", "run"), list(enumerate(RUNS)))
def test_the_tests_of_both_ends_hold(seed: int, run: str, tmp_path: Path) -> None:
    contract = write_permuted(tmp_path / "permuted.protoset", seed)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "--timeout", "60", *RUNS[run]],
        env=os.environ | {"MXGATEWAY_CONTRACT": str(contract), "TESTS_UNDER_A_CONTRACT": "1"},
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert " passed" in done.stdout
