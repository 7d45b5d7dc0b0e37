"""A lesson's exhibits, computed in the background and shared by all who look at them."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from classifiers.registry import list_models
from dashboard.classroom.exhibit import Exhibit
from dashboard.classroom.hanging import Material, build
from dashboard.classroom.lesson import Lesson, LessonStep, Subject
from dashboard.jobs import Status, sentence, stopping
from dashboard.shared import caches, choosing
from dashboard.shared.background import owner, warning_when_full


def subject_of(step: LessonStep) -> Subject:
    """What a step is about here: the first of its subjects whose film and model are at hand, else the last."""
    if not step.subjects:
        return Subject(step.films[0] if step.films else "")
    there = {entry.name for entry in list_models() if entry.available}
    fitting = [s for s in step.subjects if s.film and choosing.film_exists(s.film) and s.model in there | {""}]
    return fitting[0] if fitting else step.subjects[-1]


def exhibit_of(lesson: Lesson, place: int) -> Status:
    """Where the exhibit of a step stands; it is begun where nobody began it.

    Args:
        place: of the step in the lesson.
    """
    step, jobs = lesson.steps[place], caches.manager()
    subject = subject_of(step)
    key: Hashable = ("class", lesson.digest, place, subject.film, subject.model)
    status = jobs.status(key)
    if status is not None and status.state != "cancelled":
        return status
    try:
        material = _material(step, subject)
    except (LookupError, ValueError, OSError) as error:
        return Status("failed", error=sentence(error))
    with warning_when_full():
        jobs.submit(key, _work(material), owner=owner("class"), urgency=1)
    return jobs.status(key) or Status("queued")


def ready(lesson: Lesson, place: int) -> Exhibit | None:
    """The exhibit of a step where it is done, else None; begins nothing."""
    subject = subject_of(lesson.steps[place])
    status = caches.manager().status(("class", lesson.digest, place, subject.film, subject.model))
    return status.result if status is not None and status.state == "done" else None


def prepare(lesson: Lesson) -> None:
    """Begin to compute all exhibits of a lesson, in order."""
    for place in range(len(lesson.steps)):
        exhibit_of(lesson, place)


def _material(step: LessonStep, subject: Subject) -> Material:
    films = [name for name in (subject.film, *step.films, *step.changed) if name]
    models = [name for name in (subject.model, step.second) if name]
    return Material(
        step, subject, {name: caches.film(name) for name in films}, {name: caches.classifier(name) for name in models}
    )


def _work(material: Material) -> Callable[[Callable[[float], None], Callable[[], bool]], Exhibit]:
    def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Exhibit:
        return build(Material(
            material.step, material.subject, material.films, material.models, stopping(progress, cancelled)
        ))  # fmt: skip

    return work
