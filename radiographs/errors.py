"""What can be wrong with a film, an annotation or a collection, said in one sentence for the person who gave it."""

from __future__ import annotations


class FilmError(ValueError):
    """A file is not a film that can be read. The message names what was wrong and what to do."""


class AnnotationError(ValueError):
    """An annotation file or mask cannot be used. The message names the file and what was wrong."""


class CollectionError(LookupError):
    """A collection or one of its films is not at hand. The message says how to have it."""
