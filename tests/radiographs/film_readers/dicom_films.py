"""DICOM films that tests make."""

import io

import numpy as np
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian

from radiographs.reading import read_radiograph

STORED = (np.arange(48 * 64).reshape(48, 64) % 4096).astype(np.uint16)
SECRETS = ("Doe^Jane", "ID-4711", "19570131")


def film(stored=STORED, syntax=ExplicitVRLittleEndian, pixel_data=None, **tags):
    """A CR film with 12 bits stored, unless the tags say otherwise; None drops a tag."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    dataset = FileDataset(None, {}, b"\0" * 128, meta, syntax.is_implicit_VR, syntax.is_little_endian)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = SECRETS
    dataset.Modality, dataset.BodyPartExamined = "CR", "CHEST"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = stored.dtype.itemsize * 8, 12, 11
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    if pixel_data is None:
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        pixel_data = stored.astype(stored.dtype.newbyteorder(order)).tobytes()
    if pixel_data:
        dataset.PixelData = pixel_data
        dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
        dataset["PixelData"].is_undefined_length = syntax.is_compressed
    return dataset


def save(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def read(*args, **tags):
    return read_radiograph(save(film(*args, **tags)))


def codes(film):
    return [note.code for note in film.notes]


def lut(descriptor, data):
    item = Dataset()
    item.LUTDescriptor, item.LUTData = descriptor, data
    for name in ("LUTDescriptor", "LUTData"):
        item[name].VR = "US"
    return [item]
