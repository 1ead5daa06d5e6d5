import numpy as np

from textsent.model import KerasNetwork, OnnxNetwork, SentimentModel
from textsent.preprocess import WordIds


def word_ids(*texts: list[int]) -> WordIds:
    return WordIds(
        np.array([word for text in texts for word in text], np.int32),
        np.cumsum([0, *(len(text) for text in texts)]),
    )


def test_keras_and_onnx_runtime_agree_within_1e_5(tiny_preset):
    random = np.random.default_rng(0)
    texts = word_ids(*(random.integers(4, 9, length).tolist() for length in range(1, 40)))
    on_keras = SentimentModel(KerasNetwork.from_preset(tiny_preset), window=8).predict(texts)
    on_onnx = SentimentModel(OnnxNetwork.from_preset(tiny_preset), window=8).predict(texts)
    np.testing.assert_allclose(on_onnx, on_keras, atol=1e-5)
    assert on_onnx.std() > 1e-3
