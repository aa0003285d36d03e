"""Keeps a script that is slow to import answering: one JSON array of arguments a line in, one JSON object a line out."""

import json
import sys
import traceback


def answer_requests(read) -> None:
    for line in sys.stdin:
        try:
            answer = {"report": read(*json.loads(line))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
