"""Does to a Delta mirror what deltalake can do to any table, as hard as it can.

Arguments of a request: TABLE_FOLDER. Compacts, vacuums in full and without any retention, deletes every row, writes a checkpoint, cleans
the log up and vacuums again. Answers with what was refused, and why.
"""

from answering import answer_requests
from deltalake import DeltaTable


def refusal(work):
    try:
        work()
        return None
    except Exception as refused:
        return str(refused)


def vacuum(folder):
    DeltaTable(folder).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)


def maintain(delta):
    return {
        "compact": refusal(lambda: DeltaTable(delta).optimize.compact()),
        "vacuum": refusal(lambda: vacuum(delta)),
        "delete": refusal(lambda: DeltaTable(delta).delete()),
        "checkpoint": refusal(lambda: DeltaTable(delta).create_checkpoint()),
        "clean": refusal(lambda: DeltaTable(delta).cleanup_metadata()),
        "vacuumAgain": refusal(lambda: vacuum(delta)),
    }


answer_requests(maintain)
