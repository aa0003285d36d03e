"""Embeds texts with model2vec and says what it made of them.

Arguments of a request: MODEL_FOLDER TEXTS_JSON

Answers with the token ids of every text (those of unknown tokens left out, texts not cut) and its vector, brought to length 1 as the
model's settings ask for.
"""

import json

from answering import answer_requests
from model2vec import StaticModel


def embed(folder, texts_file):
    model = StaticModel.from_pretrained(folder)
    with open(texts_file, encoding="utf-8") as file:
        texts = json.load(file)
    vectors = model.encode(texts, use_multiprocessing=False).astype("float64")
    model.max_length = None
    return {"ids": model.tokenize(texts), "vectors": vectors.tolist(), "dimensions": model.dim}


answer_requests(embed)
