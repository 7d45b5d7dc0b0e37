import pytest

from radiographs.places import asset
from xai_methods import Method, ParameterError, get_method, methods, register


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


def test_a_method_that_does_not_say_what_its_values_are_is_refused():
    class Mute(Method):
        name, title, family, question, reference = "mute", "Mute", "gradient", "What?", "arXiv 0"
        signed, speed = True, "fast"

        def _explain(self, request):
            raise NotImplementedError

    with pytest.raises(TypeError, match="Mute does not declare unit"):
        register(Mute)
    assert "mute" not in methods()


def test_an_unknown_method_is_refused_with_the_names_there_are():
    with pytest.raises(LookupError, match=r"no method .magic.; there are: .*lrp"):
        get_method("magic")


@pytest.mark.parametrize("name", methods())
def test_every_method_has_a_card_of_a_readable_length(name):
    text = asset("methods", f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {get_method(name).title}\n")
    assert 150 <= len(text.split()) <= 350
    assert "doi 10." in text or "arXiv" in text


@pytest.mark.parametrize("name", methods())
def test_a_method_says_what_it_is(name):
    method = get_method(name)
    assert method.name == name
    assert method.title
    assert method.question.endswith("?")
    assert any(mark in method.reference for mark in ("doi ", "arXiv ")) or method.family == "baseline"
    assert method.speed in {"fast", "slow"}
    for _, bounds, value in method.parameters().described():
        assert bounds.help
        assert bounds.choices or isinstance(value, bool) or (bounds.low is not None and bounds.high is not None)


@pytest.mark.parametrize("name", methods())
def test_a_parameter_out_of_bounds_is_named_with_its_bounds(name):
    kind = get_method(name).parameters
    for field, bounds, _ in kind().described():
        if bounds.choices:
            with pytest.raises(ParameterError, match=f"{field}: expected one of .*{bounds.choices[-1]}"):
                kind.parse({field: "no such choice"})
        elif bounds.low is not None and bounds.high is not None:
            for value in (bounds.low - 1, bounds.high + 1):
                with pytest.raises(ParameterError, match=f"{field}: expected {bounds.low:g} to {bounds.high:g}"):
                    kind.parse({field: value})
    with pytest.raises(ParameterError, match="unknown parameter 'hiccups'"):
        kind.parse({"hiccups": 1})
