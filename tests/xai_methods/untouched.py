"""Whether a classifier is as it was."""

import threading
from typing import Any

import numpy as np
import torch

from classifiers import ChestClassifier


def state_of(classifier: ChestClassifier) -> dict[str, Any]:
    """All that a method must leave as it was, in comparable form."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    numpy_state = np.random.get_state()  # noqa: NPY002
    return {
        "weights": {key: value.numpy().tobytes() for key, value in classifier.state_dict().items()},
        "hooks": {name: [len(getattr(m, hook)) for hook in hooks] for name, m in classifier.named_modules()},
        "attributes": {name: sorted(vars(m)) for name, m in classifier.named_modules()},
        "classes": {name: type(m) for name, m in classifier.named_modules()},
        "training": {name: m.training for name, m in classifier.named_modules()},
        "wants_gradients": {name: (p.requires_grad, p.grad is None) for name, p in classifier.named_parameters()},
        "torch random state": torch.random.get_rng_state().numpy().tobytes(),
        "numpy random state": (numpy_state[1].tobytes(), numpy_state[2]),
        "gradient mode": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "lock is free": lock_is_free(classifier),
    }


def lock_is_free(classifier: ChestClassifier) -> bool:
    """Whether another thread could take the lock."""
    taken = []

    def take() -> None:
        taken.append(classifier.lock.acquire(blocking=False))
        if taken[0]:
            classifier.lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken[0]


def assert_untouched(classifier: ChestClassifier, before: dict[str, Any]) -> None:
    after = state_of(classifier)
    assert [key for key in before if before[key] != after[key]] == []
