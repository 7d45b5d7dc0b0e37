"""A model of one's own: try it out on two films first, then add it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from classifiers.own_models import check_name, keep_model, read_model
from classifiers.registry import list_models
from dashboard.jobs import Status, Work, sentence
from dashboard.library.downloads import downloads, draw_work
from dashboard.people.roles import NotAllowedError, may, permit
from dashboard.shared import caches
from dashboard.shared.background import owner, warning_when_full
from evaluation.cli.own_models import NORMALISATIONS
from evaluation.one_film.trial import Trial, trial_films, try_model
from radiographs.findings import display_name

AS_STATED = "As its files say"
"""Where they say nothing: a padded square, and 0 to 1."""
OTHER = "Mean and std of your own"
FORMS = """
- **Weights** (`.safetensors`, `.pt`, `.pth`, `.pth.tar`, `.ckpt`): a state dict, a checkpoint, or a whole network,
  for an architecture of torchvision or timm. Only tensors are read; no code in the file is run.
- **ONNX** (`.onnx`): methods that need answers alone explain it. It needs `pip install 'xai-lightbox[onnx]'`.
- **A folder of Hugging Face or timm** (`config.json`, `model.safetensors`): labels and normalisation are read from it.
  It needs `pip install 'xai-lightbox[transformers]'`, and no code of the folder's own is run.
- Any other network: a few lines of Python, see docs/extending.md.
"""


@dataclass(frozen=True, eq=False)
class Tried:
    """A model that was tried out, and what it was built from."""

    trial: Trial
    path: str
    architecture: str | None
    options: dict[str, Any]


def draw() -> None:
    """Draw the form, the trial in the background, and what it found."""
    added = st.session_state.pop("model_added", "")
    if added:
        st.success(added, icon=":material/check_circle:")
    if not may("add model"):
        st.info("Models are added by a keeper of this dashboard.", icon=":material/lock:")
        return
    st.markdown("The program tries the model out on two films and says what it does there, before you add it.")
    with st.expander("What can be added"):
        st.markdown(FORMS)
    with st.form("own_model", border=False):
        given = _fields()
        if st.form_submit_button("Try it out", icon=":material/science:", type="primary"):
            _start(given)
    draw_work(_name(), "Trying the model out", _draw_tried)


def _fields() -> dict[str, Any]:
    given: dict[str, Any] = {}
    given["path"] = st.text_input("File or folder on this computer", key="model_path", placeholder="/home/me/model.pt")
    left, right = st.columns(2)
    words = "For links and commands: small letters, digits, '-', '_' and '.'."
    given["name"] = left.text_input("Short name", key="model_name", placeholder="my-model", help=words)
    words = "Its name in torchvision or timm. An ONNX file and a folder need none."
    given["architecture"] = right.text_input(
        "Architecture", key="model_architecture", placeholder="densenet121", help=words
    )
    given["findings"] = st.text_input(
        "Findings, in the order of the outputs", key="model_findings", placeholder="Atelectasis, Cardiomegaly, Effusion"
    )
    left, middle, right = st.columns(3)
    given["side"] = left.number_input("Input side in pixels", 0, 2048, 0, key="model_side",
                                      help="0: what the architecture or the file says.")  # fmt: skip
    given["fit"] = middle.selectbox("A film becomes a square by", (AS_STATED, "pad", "crop"), key="model_fit",
                                    help="A folder may say it; else films are padded.")  # fmt: skip
    words = "As when the model was trained. A folder may say it; else 0 to 1."
    given["normalise"] = right.selectbox(
        "Black and white enter as", (AS_STATED, *NORMALISATIONS, OTHER), key="model_normalise", help=words
    )
    with st.expander("More"):
        given["mean"] = st.text_input("Mean (one number, or three)", key="model_mean", help=f"For: {OTHER}.")
        given["std"] = st.text_input("Std (one number, or three)", key="model_std", help=f"For: {OTHER}.")
        given["cam_layer"] = st.text_input("Layer for class-activation maps", key="model_cam_layer",
                                           help="Found by tracing where it is left empty.")  # fmt: skip
        given["softmax"] = st.toggle("The findings exclude each other (softmax)", key="model_softmax")
    return given


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """What the form says, as options of ``read_model``.

    Raises:
        ValueError: a field cannot be read.
    """
    options: dict[str, Any] = dict(NORMALISATIONS.get(given["normalise"], {}))
    if given["normalise"] == OTHER:
        options |= {"mean": _numbers(given["mean"], "mean"), "std": _numbers(given["std"], "std")}
    if given["fit"] != AS_STATED:
        options["fit"] = given["fit"]
    chosen = {"side": int(given["side"]), "cam_layer": given["cam_layer"].strip(), "softmax": given["softmax"]}
    return options | {key: value for key, value in chosen.items() if value}


def _numbers(text: str, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3):
        raise ValueError(f"The {what} is one number, or three separated by commas.")
    return numbers


def _name() -> str:
    return f"model {owner()}"


def _start(given: dict[str, Any]) -> None:
    downloads().forget(_name())
    try:
        check_name(given["name"].strip())
        taken = {entry.name: entry.origin for entry in list_models()}.get(given["name"].strip(), "yours")
        if taken != "yours":
            raise ValueError(f"A model of the program is called {given['name'].strip()}; take another name.")
        permit("add model", given["path"])
        work = _work(given, _options(given))
    except (ValueError, NotAllowedError) as error:
        st.error(sentence(error), icon=":material/error:")
        return
    with warning_when_full():
        downloads().start(_name(), work)


def _work(given: dict[str, Any], options: dict[str, Any]) -> Work:
    path, architecture = given["path"].strip().strip("\"'"), given["architecture"].strip() or None
    findings = [name.strip() for name in given["findings"].split(",") if name.strip()]

    def work(progress: Any, cancelled: Any) -> Tried:
        if not path or not Path(path).expanduser().exists():
            raise ValueError("There is no such file or folder on this computer. Give its whole path.")
        classifier = read_model(path, architecture, findings, name=given["name"].strip(), **options)
        trial = try_model(classifier, trial_films(), progress=progress, cancelled=cancelled)
        return Tried(trial, path, architecture, options)

    return work


def _draw_tried(status: Status) -> None:
    tried: Tried = status.result
    trial, classifier = tried.trial, tried.trial.classifier
    st.markdown(f"{classifier.card.summary} **Trained on:** {classifier.card.trained_on}")
    table = pd.DataFrame({"Finding": [display_name(finding) for finding in classifier.findings]})
    for film, logits, probabilities in zip(trial.films, trial.logits, trial.probabilities):
        table[film] = [f"{p:.3f} (logit {logit:.2f})" for logit, p in zip(logits, probabilities)]
    st.table(table, hide_index=True)
    st.markdown(f"**CAM layer:** {trial.cam}")
    st.markdown(f"**Explained by:** {', '.join(trial.serving)}")
    if trial.refusing:
        with st.expander(f"{len(trial.refusing)} methods do not explain it, and why"):
            st.table(pd.DataFrame(trial.refusing, columns=["Method", "Why not"]), hide_index=True)
    if any(entry.name == classifier.name for entry in list_models()):
        st.warning(
            f"Your model {classifier.name} is there already; this one takes its place.", icon=":material/warning:"
        )
    if st.button(f"Add as {classifier.name}", type="primary", icon=":material/add:", key="add_model"):
        try:
            permit("add model", classifier.name)
            keep_model(classifier, tried.path, tried.architecture, **tried.options)
        except (ValueError, OSError) as error:
            st.error(sentence(error), icon=":material/error:")
            return
        downloads().forget(_name())
        caches.classifier.clear()
        st.session_state["model_added"] = f"The model was added as {classifier.name}. Find it under Models."
        st.rerun()
