"""``lightbox models add``, ``list``, ``rename`` and ``remove``: models of one's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.cli import commands

if TYPE_CHECKING:
    from evaluation.one_film.trial import Trial

NORMALISATIONS: dict[str, dict[str, Any]] = {
    "0 to 1": {"low": 0.0, "high": 1.0},
    "-1 to 1": {"low": -1.0, "high": 1.0},
    "ImageNet": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "0 to 255": {"low": 0.0, "high": 255.0},
    "torchxrayvision": {"low": -1024.0, "high": 1024.0},
}
"""How black and white enter a network, by name."""


def add_commands(models: argparse.ArgumentParser) -> None:
    """Add what can be done to models below ``lightbox models``."""
    added = models.add_subparsers(title="models of one's own", metavar="COMMAND")
    listed = added.add_parser("list", help="list the models", description="List the models.")
    listed.add_argument("--json", action="store_true", help="as a JSON list of objects")
    listed.set_defaults(run=commands.models)
    _add_add(added)
    renamed = added.add_parser("rename", help="give a model of yours another name", description="Rename a model.")
    renamed.add_argument("name", metavar="NAME")
    renamed.add_argument("new", metavar="NEW")
    renamed.add_argument("--title", help="its name for people")
    renamed.set_defaults(run=rename)
    removed = added.add_parser("remove", help="remove a model of yours", description="Remove a model of yours.")
    removed.add_argument("name", metavar="NAME")
    removed.set_defaults(run=remove)


def _add_add(added: Any) -> None:
    about = (
        "Add a model of yours: weights for an architecture of torchvision or timm, an ONNX file, or a folder of "
        "Hugging Face. It is tried out on two films first, and what it does there is said."
    )
    command = added.add_parser("add", help="add a model of yours", description=about)
    command.add_argument("file", type=Path, metavar="FILE", help="weights, an ONNX file, or a folder")
    command.add_argument("--name", required=True, metavar="NAME", help="short name, for commands and links")
    command.add_argument("--architecture", metavar="ARCH", help="of torchvision or timm; for weights alone")
    command.add_argument("--findings", default="", metavar="A,B", help="names of the outputs, in order")
    command.add_argument("--title", help="name for people")
    command.add_argument("--side", type=int, help="input side in pixels (default: the architecture's own)")
    command.add_argument("--fit", choices=("pad", "crop"), help="how a film becomes a square (default pad)")
    words = ", ".join(NORMALISATIONS)
    command.add_argument(
        "--normalise", choices=NORMALISATIONS, metavar="HOW", help=f"{words} (default: as a folder says, else 0 to 1)"
    )
    command.add_argument("--mean", type=_numbers, metavar="M[,M,M]", help="of an input in 0 to 1, with --std")
    command.add_argument("--std", type=_numbers, metavar="S[,S,S]", help="of an input in 0 to 1, with --mean")
    command.add_argument("--cam-layer", metavar="LAYER", help="layer for class-activation maps (default: traced)")
    command.add_argument("--softmax", action="store_true", default=None, help="the findings exclude each other")
    command.add_argument("--film", action="append", metavar="FILM", help="try it out on this film; may be repeated")
    command.add_argument("--dry-run", action="store_true", help="only try it out")
    command.set_defaults(run=add)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers separated by commas, got {text!r}") from None


def add(args: argparse.Namespace) -> int:
    """Try a model out, say what it does, and add it unless ``--dry-run``.

    Raises:
        WeightsError: it cannot be used. LookupError: there is no film of that name.
    """
    from classifiers.own_models import check_name, keep_model, read_model
    from evaluation.one_film.trial import trial_films, try_model

    check_name(args.name)
    options: dict[str, Any] = dict(NORMALISATIONS[args.normalise]) if args.normalise else {}
    names = ("title", "side", "fit", "mean", "std", "cam_layer", "softmax")
    options |= {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    findings = [name.strip() for name in args.findings.split(",") if name.strip()]
    classifier = read_model(args.file, args.architecture, findings, name=args.name, **options)
    sys.stdout.writelines(line + "\n" for line in described(try_model(classifier, trial_films(args.film or ()))))
    if args.dry_run:
        sys.stdout.write("Nothing was added (--dry-run).\n")
        return 0
    keep_model(classifier, args.file, args.architecture, **options)
    sys.stdout.write(f"Added as {args.name}.\n")
    return 0


def described(trial: Trial) -> list[str]:
    """Lines that say what a model did when it was tried out."""
    classifier = trial.classifier
    lines = [f"{classifier.card.summary} Trained on: {classifier.card.trained_on}"]
    for film, logits, probabilities in zip(trial.films, trial.logits, trial.probabilities):
        lines.append(f"{film}:")
        rows = zip(classifier.findings, logits, probabilities)
        lines += [f"  {finding:<28} logit {logit:8.3f}   probability {p:.3f}" for finding, logit, p in rows]
    lines.append(f"CAM layer: {trial.cam}")
    lines.append(f"Methods that explain it: {', '.join(trial.serving)}")
    return lines + [f"Not served: {title}: {reason}" for title, reason in trial.refusing]


def rename(args: argparse.Namespace) -> int:
    """Rename a model of one's own."""
    from classifiers.own_models import rename_model

    rename_model(args.name, args.new, args.title)
    sys.stdout.write(f"{args.name} is called {args.new} now.\n")
    return 0


def remove(args: argparse.Namespace) -> int:
    """Remove a model of one's own; its file stays where it is."""
    from classifiers.own_models import forget_model

    forget_model(args.name)
    sys.stdout.write(f"{args.name} was removed; your own file stays where it is.\n")
    return 0
