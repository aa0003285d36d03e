"""Maintains a Delta table with deltalake, as its users do beside a pipeline.

Arguments of a request: TABLE_FOLDER. Compacts small files, writes a checkpoint, cleans the log up and vacuums, each within the
table's own retention, and answers with the number of compacted files and the version afterwards.
"""

from answering import answer_requests
from deltalake import DeltaTable


def maintain(folder):
    compacted = DeltaTable(folder).optimize.compact()
    table = DeltaTable(folder)
    table.create_checkpoint()
    table.cleanup_metadata()
    vacuumed = table.vacuum(dry_run=False)
    return {"compacted": compacted["numFilesRemoved"], "vacuumed": len(vacuumed), "version": DeltaTable(folder).version()}


answer_requests(maintain)
