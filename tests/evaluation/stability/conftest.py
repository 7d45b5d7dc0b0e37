from tests.xai_methods.conftest import family_classifier, film

__all__ = ["family_classifier", "film"]
