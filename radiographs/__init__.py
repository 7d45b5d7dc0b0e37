"""Films and what experts drew on them: reading, annotations, collections."""

from radiographs.annotation import Annotation
from radiographs.errors import FilmError
from radiographs.radiograph import Radiograph

__all__ = ["Annotation", "FilmError", "Radiograph"]
