"""How many texts a second model2vec embeds.

Arguments: MODEL_FOLDER TEXTS_JSON. Prints {"perSecond": …}, the best of three runs, in one process.
"""

import json
import sys
import time

from model2vec import StaticModel

folder, texts_file = sys.argv[1:]
with open(texts_file, encoding="utf-8") as file:
    texts = json.load(file)
model = StaticModel.from_pretrained(folder)
model.encode(texts[:100], use_multiprocessing=False)
fastest = None
for _ in range(3):
    begin = time.perf_counter()
    model.encode(texts, use_multiprocessing=False)
    taken = time.perf_counter() - begin
    fastest = taken if fastest is None else min(fastest, taken)
print(json.dumps({"perSecond": round(len(texts) / fastest)}))
