"""The command ``lightbox``: what there is, explain a film, score a map, fetch films and weights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from evaluation.cli import commands
from evaluation.cli.check import add_commands as add_check_command
from evaluation.cli.films import add_commands as add_film_commands
from evaluation.cli.films import add_folder_commands
from evaluation.cli.gate import add_commands as add_gate_command
from evaluation.cli.own_models import add_commands as add_model_commands
from evaluation.cli.runs import add_commands as add_run_commands
from evaluation.cli.statuses import DONE, EXIT_STATUS, REFUSED, STOPPED
from evaluation.polarity import POLARITIES


class _Parser(argparse.ArgumentParser):
    """Says in one line what was wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Prints the version; read when it is wanted, for that takes longer than most commands' words."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from evaluation.cli.version import version_words

        sys.stdout.write(version_words() + "\n")
        parser.exit(DONE)


def build_parser() -> tuple[argparse.ArgumentParser, argparse._SubParsersAction[_Parser]]:
    """Build the parser of ``lightbox``.

    Returns:
        The parser, and its commands, so that more can be added: ``commands.add_parser(name)`` with
        ``set_defaults(run=function)``, where the function takes the parsed arguments and returns the exit status.
    """
    statuses = "; ".join(f"{number} {words}" for number, words in EXIT_STATUS.items())
    parser = _Parser(
        prog="lightbox",
        description="Explanations of chest X-ray classifiers, side by side, and scored.",
        epilog=f"Exit status: {statuses}.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and end")
    added = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    _add_lists(added)
    _add_explain(added)
    _add_score(added)
    fetch = added.add_parser("fetch", help="download films or weights", description="Download films or weights.")
    fetch.add_argument(
        "name", metavar="NAME", help="nih-boxes, nih-demo, chestx-det, or a model such as xrv-densenet121-res224-all"
    )
    fetch.set_defaults(run=commands.fetch)
    add_film_commands(added)
    add_check_command(added)
    add_run_commands(added)
    add_gate_command(added)
    return parser, added


def _add_lists(added: argparse._SubParsersAction[_Parser]) -> None:
    lists = {
        "films": ("list the available films", commands.films),
        "models": ("list the models", commands.models),
        "methods": ("list the explanation methods", commands.methods),
        "metrics": ("list the scores", commands.metrics),
    }
    for name, (help_text, run) in lists.items():
        command = added.add_parser(name, help=help_text, description=help_text.capitalize() + ".")
        command.add_argument("--json", action="store_true", help="as a JSON list of objects")
        if name == "films":
            command.add_argument("--collection", metavar="NAME", help="of this collection only")
            add_folder_commands(command)
        if name == "models":
            add_model_commands(command)
        command.set_defaults(run=run)


def _add_explain(added: argparse._SubParsersAction[_Parser]) -> None:
    about = (
        "Explain one finding on one film and save the map (--film, --out), or the films of a collection and save a map "
        "of each film and finding, named FILM_FINDING (--collection, --maps)."
    )
    command = added.add_parser("explain", help="explain films and save the maps", description=about)
    command.add_argument("--film", metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--collection", metavar="NAME", help="all films of a collection of lightbox films")
    command.add_argument("--model", required=True, metavar="MODEL", help="a model of lightbox models")
    words = "a finding the model knows; with --collection it may be repeated, and is by default what is outlined"
    command.add_argument("--finding", action="append", metavar="FINDING", help=words)
    command.add_argument("--method", required=True, metavar="METHOD", help="a method of lightbox methods")
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same map (default 0)")
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the method; may be repeated"
    )
    command.add_argument("--out", type=Path, metavar="MAP.NPZ", help="where to save the map of --film")
    command.add_argument("--maps", type=Path, metavar="FOLDER", help="where to save the maps of --collection")
    words = "with --maps: in the film's own pixels (default), or on the model's input grid"
    command.add_argument("--grid", choices=("film", "input"), default="film", help=words)
    words = "with --maps: .npz in raw units (default), or 16-bit grey PNG whose text says the units"
    command.add_argument("--format", choices=("npz", "png"), default="npz", help=words)
    command.set_defaults(run=commands.explain)


def _add_score(added: argparse._SubParsersAction[_Parser]) -> None:
    about = (
        "Score any map against what an expert outlined; a folder of maps against a folder of masks of the same names, "
        "or against the outlines of a collection."
    )
    command = added.add_parser("score", help="score maps against masks", description=about)
    words = ".npz, .npy, or a grey PNG (8, 16 bit); or a folder, CSV or JSON of them"
    command.add_argument("--map", required=True, type=Path, metavar="FILE", help=words)
    against = command.add_mutually_exclusive_group(required=True)
    words = "an image, .npy or .npz, where not 0 is inside; or a folder of them"
    against.add_argument("--mask", type=Path, metavar="FILE", help=words)
    words = "a collection with outlines; maps are then named FILM_FINDING"
    against.add_argument("--films", metavar="COLLECTION", help=words)
    words = "with --films: also take maps on this model's input grid"
    command.add_argument("--model", metavar="MODEL", help=words)
    command.add_argument("--out", type=Path, metavar="FILE", help="write the scores as .csv, .parquet or .json")
    command.add_argument(
        "--polarity", choices=POLARITIES, default="positive", help="which part of a signed map is scored"
    )
    command.add_argument("--reading", choices=POLARITIES, dest="polarity", help=argparse.SUPPRESS)
    command.add_argument("--json", action="store_true", help="as a JSON object")
    command.set_defaults(run=commands.score)


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> int:
    """Parse ``argv``, run the command and return the exit status; what goes wrong is said in one line on stderr."""
    try:
        args = parser.parse_args(argv)
        return int(args.run(args))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else REFUSED
    except KeyboardInterrupt:
        sys.stderr.write("lightbox: stopped\n")
        return STOPPED
    except BrokenPipeError:
        return DONE
    except (ValueError, LookupError, OSError, RuntimeError, TypeError, MemoryError) as error:
        sentence = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(f"lightbox: {sentence}\n")
        return REFUSED


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of the library; ``argv`` without the program's name."""
    return run(build_parser()[0], argv)


if __name__ == "__main__":
    sys.exit(main())
