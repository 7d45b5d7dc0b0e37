"""Lets a torchvision that was compiled for another torch build be imported.

torchvision registers fake (meta) kernels for ``torchvision::nms`` and ``torchvision::qnms`` while it is
imported. Where its compiled part cannot load, these operators were never defined and the import raises
``RuntimeError``. Only the pure-Python parts (architectures, transforms) are used here, so defining the two
schemas is enough. Import this module before the first ``import torchvision``.
"""

from __future__ import annotations

import importlib
import logging

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

_log = logging.getLogger(__name__)
# Kept alive: the operators vanish when the library object is collected.
_library: torch.library.Library | None = None


def _operator_exists(name: str) -> bool:
    try:
        getattr(torch.ops.torchvision, name)
    except AttributeError:
        return False
    return True


def ensure_torchvision() -> bool:
    """Import torchvision, defining its two missing operator schemas only where the plain import fails.

    Returns:
        True where the schemas had to be defined, False where torchvision loads by itself.

    Raises:
        ImportError: torchvision is not installed.
        RuntimeError: torchvision fails to import for another reason.
    """
    global _library
    if _library is not None:
        return True
    try:
        importlib.import_module("torchvision")
        return False
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in _SCHEMAS.items():
        if not _operator_exists(name):
            _library.define(schema)
    importlib.import_module("torchvision")
    _log.debug("torchvision's compiled operators are not available; schemas were defined in their place")
    return True
