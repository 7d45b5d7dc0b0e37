import pytest

from radiographs.places import asset
from xai_methods import Method, get_method, methods, register


def test_the_five_methods_of_the_first_form_are_there_in_reading_order():
    names = [name for name in methods() if name in {"lime", "kernel-shap", "grad-cam", "lrp", "jacobian"}]
    assert names == ["lime", "kernel-shap", "grad-cam", "lrp", "jacobian"]


def test_a_name_is_taken_once():
    class Again(Method):
        name = "lrp"

        def _explain(self, request):
            raise NotImplementedError

    before = methods()
    with pytest.raises(ValueError, match="'lrp' is registered already"):
        register(Again)
    assert methods() == before


def test_an_unknown_method_is_refused_with_the_names_there_are():
    with pytest.raises(LookupError, match=r"no method .magic.; there are: .*lrp"):
        get_method("magic")


@pytest.mark.parametrize("name", methods())
def test_every_method_has_a_card_of_a_readable_length(name):
    text = asset("methods", f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {get_method(name).title}\n")
    assert 150 <= len(text.split()) <= 350
    assert "doi 10." in text or "arXiv" in text
