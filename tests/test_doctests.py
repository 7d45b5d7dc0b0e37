"""The examples in the docstrings of public modules are true."""

import doctest
import importlib

import pytest

from radiographs.errors import CollectionError
from radiographs.registry import find_film


@pytest.mark.parametrize("name", ["radiographs.arrays", "xai_methods", "xai_methods.display"])
def test_examples(name: str) -> None:
    if name == "xai_methods":
        try:
            find_film("known-truth/mass-01")
        except CollectionError as error:
            pytest.skip(str(error))
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
