"""Runs the code cells of a notebook in a kernel as Jupyter does, and prints what came out of each as one JSON object."""

import json
import sys
import tempfile
import time
from queue import Empty

from jupyter_client.manager import start_new_kernel

# Deno's kernel can publish what a cell ends with after it has said that it is idle.
SILENCE_SECONDS = 0.1
LOOK_SECONDS = 1


class Outputs:
    """What the cells have put out so far; a display that is updated changes where it was shown first."""

    def __init__(self) -> None:
        self.of_cell: list[list[dict]] = []
        self.displays: dict[str, list[dict]] = {}

    def take(self, kind: str, content: dict) -> None:
        outputs = self.of_cell[-1]
        if kind == "stream":
            last = outputs[-1] if outputs else {}
            if last.get("name") == content["name"]:
                last["text"] += content["text"]
            else:
                outputs.append({"output_type": "stream", "name": content["name"], "text": content["text"]})
        elif kind in ("display_data", "execute_result"):
            shown = {"output_type": kind, "data": content["data"], "metadata": {}}
            outputs.append(shown)
            name = content.get("transient", {}).get("display_id")
            self.displays.setdefault(name, []).append(shown)
        elif kind == "update_display_data":
            for shown in self.displays.get(content["transient"]["display_id"], []):
                shown["data"] = content["data"]
        elif kind == "error":
            outputs.append({"output_type": "error", **{key: content[key] for key in ("ename", "evalue", "traceback")}})
        elif kind == "clear_output":
            outputs.clear()


def run_cell(manager, client, outputs: Outputs, source: str, limit_seconds: float) -> None:
    """Returns once the kernel is idle and has been silent for a while."""
    outputs.of_cell.append([])
    request = client.execute(source, allow_stdin=False)
    end = time.monotonic() + limit_seconds
    idle = False
    while True:
        try:
            message = client.get_iopub_msg(timeout=SILENCE_SECONDS if idle else LOOK_SECONDS)
        except Empty:
            if idle:
                return
            if not manager.is_alive():
                return outputs.take("error", failure("KernelEnded", "the kernel ended"))
            if time.monotonic() > end:
                return outputs.take("error", failure("TimeLimit", f"not done after {limit_seconds:g} s"))
            continue
        kind, content = message["msg_type"], message["content"]
        outputs.take(kind, content)
        if kind == "status" and content["execution_state"] == "idle" and message["parent_header"]["msg_id"] == request:
            idle = True


def failure(name: str, text: str) -> dict:
    return {"ename": name, "evalue": text, "traceback": []}


def main(notebook: str, kernel: str, limit_seconds: float) -> None:
    with open(notebook, encoding="utf-8") as file:
        cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    outputs = Outputs()
    times = []
    with tempfile.TemporaryFile() as log:
        manager, client = start_new_kernel(kernel_name=kernel, startup_timeout=60, stdout=log, stderr=log)
        try:
            for cell in cells:
                start = time.monotonic()
                run_cell(manager, client, outputs, "".join(cell["source"]), limit_seconds)
                times.append(round(time.monotonic() - start, 2))
                if any(output["output_type"] == "error" for output in outputs.of_cell[-1]):
                    break
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
        log.seek(0)
        said = log.read().decode(errors="replace")
    ran = [
        {"id": cell["id"], "outputs": shown, "seconds": seconds}
        for cell, shown, seconds in zip(cells, outputs.of_cell, times)
    ]
    json.dump({"cells": ran, "kernelSaid": said}, sys.stdout)


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
