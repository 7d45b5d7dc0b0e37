"""Which films are of one patient, by what DICOM files say; the identifier itself is never handed on."""

from __future__ import annotations

import hashlib
import io
import re

from radiographs.film_readers.dicom import looks_like_dicom, quiet

_NOBODY = re.compile(r"(?:anon[a-z_]*|unknown|none|null|n/?a|test|patient|[x0*?._ -]*)\W*", re.IGNORECASE)


def patient_key(data: bytes) -> str:
    """A digest that films of one patient share; "" where the file is no DICOM, or names nobody.

    Args:
        data: the whole file. Of PatientID and its issuer only the SHA-256 is returned; placeholders such as
            "Anonymous" name nobody, numbered pseudonyms such as "ANON0012" do.
    """
    if not looks_like_dicom(data):
        return ""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    tags = ["PatientID", "IssuerOfPatientID"]
    with quiet():
        try:
            header = dcmread(io.BytesIO(data), force=True, stop_before_pixels=True, specific_tags=tags)
            name, issuer = (str(header.get(tag) or "").strip() for tag in tags)
        except (InvalidDicomError, OSError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
            return ""
    return "" if _NOBODY.fullmatch(name) else hashlib.sha256(f"{issuer}\n{name}".encode()).hexdigest()
