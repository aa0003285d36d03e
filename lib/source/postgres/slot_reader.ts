/** Connections that read one slot, one after the other: the server lets a slot be read once at a time. */
import { formatLsn, instanceOf, lsnOf } from "./lsn.ts";
import { ReplicationConnection } from "./replication_connection.ts";
import { answerMs, type SideConnection } from "./side_connection.ts";
import { assertSlot, awaitFreeSlot, endReader, readSlot } from "./slot.ts";

/** Which slot, and how it is reached. */
export interface SlotReaderOptions {
  readonly url: string;
  readonly slot: string;
  /** Milliseconds to wait for whoever reads it. */
  readonly slotWaitMs: number;
  readonly side: SideConnection;
}

/** What the slot was found in at the start. */
export interface SlotHome {
  readonly instance: string;
  readonly database: string;
}

/** Opens the connections. */
export class SlotReader {
  readonly #options: SlotReaderOptions;
  /** The server's process behind the last one. */
  #walsenderId: number | undefined;

  constructor(options: SlotReaderOptions) {
    this.#options = options;
  }

  /**
   * A connection that may go on from a point. The one before it is ended where the server has not noticed yet that it is gone.
   *
   * Throws `sourceMismatch` or `sourceLost` where server or slot cannot go on from there, `fenced` while another one reads it.
   */
  async open(afterLsn: bigint, { instance, database }: SlotHome): Promise<ReplicationConnection> {
    const { url, slot: name, slotWaitMs, side } = this.#options;
    if (this.#walsenderId !== undefined) side.drop();
    const replication = await ReplicationConnection.open(url);
    const { connection } = replication;
    try {
      await connection.within(answerMs + slotWaitMs, async () => {
        const found = instanceOf(await replication.identify());
        lsnOf({ instance, offset: formatLsn(afterLsn) }, found);
        if (this.#walsenderId !== undefined) await endReader(connection, name, this.#walsenderId);
        await awaitFreeSlot(connection, name, slotWaitMs);
        assertSlot(await readSlot(connection, name), { name, database, recordedLsn: afterLsn });
      });
      this.#walsenderId = connection.serverProcessId;
      return replication;
    } catch (thrown) {
      await replication.close();
      throw thrown;
    }
  }
}
