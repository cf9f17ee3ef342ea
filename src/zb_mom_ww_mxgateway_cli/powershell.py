"""Completion in PowerShell: the script, and the protocol between it and ``mxgw-py``.

click has a script of its own from 8.5 on. This one takes words as PowerShell has read them, quotes what needs quotes,
and works with every click that we support.
"""

import json
import os
from collections.abc import Iterator

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

# ASCII only, as are its answers: Windows PowerShell 5.1 reads both by the code page of the system.
_SCRIPT = r"""
Register-ArgumentCompleter -Native -CommandName '%(prog_name)s', '%(prog_name)s.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition })
    $words = @($before | ForEach-Object {
        $isText = $_ -is [System.Management.Automation.Language.StringConstantExpressionAst]
        if ($isText) { $_.Value } else { $_.Extent.Text }
    })
    if ($before.Count -gt 0 -and $before[-1].Extent.EndOffset -lt $cursorPosition) { $words += '' }
    $former = @($env:%(complete_var)s, $env:COMP_WORDS)
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = ConvertTo-Json -Compress -InputObject @($words)
    try { $lines = @(& '%(prog_name)s' 2>$null) } catch { $lines = @() } finally {
        $env:%(complete_var)s, $env:COMP_WORDS = $former
    }
    foreach ($line in $lines) {
        $item = ConvertFrom-Json -InputObject $line
        if ($item.type -eq 'plain') {
            $text = $item.value
            if ($text -notmatch '^[\w.:=/\\+-]+$') { $text = "'" + $text.Replace("'", "''") + "'" }
            [System.Management.Automation.CompletionResult]::new($text, $item.value, 'ParameterValue', $item.help)
        } else {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($item.value) |
                Where-Object { $item.type -eq 'file' -or $_.ResultType -eq 'ProviderContainer' }
        }
    }
}
"""


class PowerShellCompletion(ShellComplete):
    """Completion in Windows PowerShell from 5.1 on, and in PowerShell 7.

    The script sends the words up to the cursor, the last of which is incomplete, as a JSON array in ``COMP_WORDS``. The
    answer is one JSON object a line, with ``help``, ``type`` and ``value``.
    """

    name = "powershell"
    source_template = _SCRIPT.lstrip()

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the incomplete one, and that."""
        words: list[str] = json.loads(os.environ["COMP_WORDS"])
        return words[1:-1], words[-1] if len(words) > 1 else ""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what is offered, each in place of the whole incomplete word."""
        return list(self._whole(super().get_completions(args, incomplete), incomplete))

    def _whole(self, offered: list[CompletionItem], incomplete: str) -> Iterator[CompletionItem]:
        option, equals, _ = incomplete.partition("=")
        before = f"{option}{equals}" if equals and option.startswith("--") else ""
        for item in offered:
            if before and item.type != "plain":
                continue  # PowerShell would put the file in place of the option
            yield CompletionItem(f"{before}{item.value}", item.type, item.help)

    def format_completion(self, item: CompletionItem) -> str:
        """Return the line of one."""
        # An empty tip is an error in PowerShell.
        form = {"help": " ".join((item.help or str(item.value)).split()), "type": item.type, "value": str(item.value)}
        return json.dumps(form, sort_keys=True)


# Not as a decorator: in click 8.1.0 it returns nothing.
add_completion_class(PowerShellCompletion)
