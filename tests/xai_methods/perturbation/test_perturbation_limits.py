"""However they draw, LIME and Kernel SHAP aim at what the lime and shap packages aim at."""

import numpy as np
import torch
from lime.lime_base import LimeBase
from lime.lime_image import LimeImageExplainer
from sklearn.metrics import pairwise_distances
from torch import nn

from tests.xai_methods.conftest import classifier_of, film_of
from xai_methods.perturbation.lime import Lime, LimeParameters
from xai_methods.perturbation.masking import make_regions
from xai_methods.perturbation.shap import kernel_shap

REGIONS, FILMS = 16, 6000


class Bent(nn.Module):
    """Interactions of every order between regions, at the price of two small products a film."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.first, self.last = nn.Linear(256, 24), nn.Linear(24, 2)
        with torch.no_grad():
            for weights in self.parameters():
                weights.normal_(0, 0.3, generator=generator)

    def forward(self, films):
        return self.last(torch.relu(self.first(films.flatten(1))))


def test_lime_ends_where_the_lime_package_ends(capsys):
    classifier, film = classifier_of(Bent(), 2, "first", 16, -1.0, 1.0), film_of(16)
    parameters = LimeParameters(REGIONS, superpixels="grid", samples=FILMS, precision="float32", stop_at=1.0)
    ours = Lime().explain(classifier, film, "Finding 1", parameters=parameters)
    regions = make_regions(classifier, classifier.prepare(film), ours.regions, "mean")

    def judge(images):
        with torch.inference_mode():
            return classifier(torch.as_tensor(images).permute(0, 3, 1, 2)).numpy()

    explainer = LimeImageExplainer(random_state=0)
    data, logits = explainer.data_labels(
        regions.film.numpy()[..., None], regions.hidden.numpy()[..., None], regions.labels, judge, FILMS, batch_size=500
    )
    distances = pairwise_distances(data, data[:1], metric="cosine").ravel()
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / 0.25**2)), random_state=0)
    _, pairs, r2, _ = base.explain_instance_with_data(data, logits, distances, 0, REGIONS, feature_selection="none")
    theirs = np.array([weight for _, weight in sorted(pairs)])
    _, first = np.unique(ours.regions, return_index=True)
    found = ours.values.ravel()[first]
    assert r2 < 0.99
    assert np.corrcoef(found, theirs)[0, 1] > 0.999
    assert np.abs(found - theirs).max() < 0.03 * np.abs(theirs).max()


def test_kernel_shap_ends_where_the_shap_package_ends():
    import shap

    rng = np.random.default_rng(1)
    inner, outer = rng.normal(size=(18, 12)), rng.normal(size=12)

    def value(coalitions):
        return np.maximum((2.0 * coalitions - 1) @ inner, 0) @ outer

    explainer = shap.KernelExplainer(lambda rows: value(rows > 0.5), np.zeros((1, 18)))
    theirs = np.ravel(explainer.shap_values(np.ones((1, 18)), nsamples=30000, l1_reg=False, silent=True))
    ours = kernel_shap(value, 18, 3000, np.random.default_rng(0))
    assert ours.enumerated < 1
    assert np.corrcoef(ours.values, theirs)[0, 1] > 0.999
    assert np.abs(ours.values - theirs).max() < 0.03 * np.abs(theirs).max()
