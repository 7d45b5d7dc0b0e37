"""One request of the compare page: which film, which model, which findings, which methods under which settings."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from classifiers import ChestClassifier
from dashboard.jobs import Progress, Task, explaining, explanation_cache
from dashboard.shared.film_context import FilmContext
from dashboard.shared.state import UPLOAD
from xai_methods import Explanation, Parameters


@dataclass(frozen=True, eq=False)
class CompareRequest:
    """What is to be explained, in full.

    Attributes:
        film: the film. classifier: the model. findings: names the model knows.
        parameters: each chosen method's parameters, by its name, in order. seed: of all methods.
    """

    film: FilmContext
    classifier: ChestClassifier
    findings: tuple[str, ...]
    parameters: dict[str, Parameters]
    seed: int

    def with_model(self, classifier: ChestClassifier) -> CompareRequest:
        """The same request to another model, for those findings that it knows."""
        known = tuple(finding for finding in self.findings if finding in classifier.findings)
        return replace(self, classifier=classifier, findings=known)

    def key(self, finding: str, method: str) -> Hashable:
        """Content address of one explanation: equal keys mean equal maps."""
        settings = tuple(sorted(self.parameters[method].as_dict().items()))
        return self.film.radiograph.digest, self.classifier.digest, method, settings, finding, self.seed

    def pairs(self) -> list[tuple[str, str]]:
        """Findings and methods of all explanations."""
        return [(finding, method) for finding in self.findings for method in self.parameters]

    def keys(self) -> list[Hashable]:
        """Content addresses of all explanations."""
        return [self.key(finding, method) for finding, method in self.pairs()]

    def work(self, finding: str, method: str) -> Task:
        """The computation of one explanation, for the job manager; what is cached on disk is not computed again."""
        film, classifier, parameters, seed = self.film.radiograph, self.classifier, self.parameters[method], self.seed
        uploaded = self.film.reference.startswith(f"{UPLOAD}/")
        cache = None if uploaded and not explanation_cache.uploads_too() else explanation_cache.explanations()

        def known() -> Explanation | None:
            content = film.digest, classifier.digest, method, parameters.as_dict(), finding, seed
            return cache.get(explanation_cache.address_of(*content)) if cache is not None else None

        def explain(progress: Progress, cancelled: Callable[[], bool]) -> Explanation:
            made = explaining.explain(
                method,
                classifier,
                film,
                finding,
                parameters=parameters,
                seed=seed,
                progress=progress,
                cancelled=cancelled,
            )
            if cache is not None:
                cache.put(made)
            return made

        settings = sorted(parameters.as_dict().items())
        return Task(explain, f"{method} {classifier.digest} {settings}", known)
