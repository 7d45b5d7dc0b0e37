"""Exit statuses are the same everywhere: in README, in the help, and in what commands return."""

import re
from pathlib import Path

from evaluation.cli.parser import main
from evaluation.cli.statuses import DONE, EXIT_STATUS, REFUSED, STOPPED, WITH_REMARKS

ROOT = Path(__file__).resolve().parents[3]


def test_readme_and_help_list_each_status(capsys):
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.M)
    assert [int(number) for number, _ in rows] == sorted(EXIT_STATUS) == [DONE, WITH_REMARKS, REFUSED, STOPPED]
    assert main(["--help"]) == DONE
    said = " ".join(capsys.readouterr().out.split())
    for number, words in rows:
        assert words.strip().startswith(EXIT_STATUS[int(number)])
        assert f"{number} {EXIT_STATUS[int(number)]}" in said


def test_no_command_has_a_number_of_its_own():
    own = re.compile(r"return (?:[0-9]+|int\()")
    paths = [*(ROOT / "evaluation" / "cli").glob("*.py"), *(ROOT / "dashboard" / "cli").glob("*.py")]
    found = [(path.name, line.strip()) for path in paths for line in path.read_text().splitlines() if own.search(line)]
    assert [one for one in found if one[1] not in ("return 0", "return int(args.run(args))", "return int(text)")] == []


def test_version(capsys):
    assert main(["--version"]) == DONE
    said = capsys.readouterr().out
    assert re.match(r"XAI Lightbox .*, Python 3\.\d+\.\d+, torch \d", said)


def test_a_wrong_word_is_refused(capsys):
    assert main(["--versoin"]) == REFUSED
    assert capsys.readouterr().err.count("\n") == 1
