/**
 * The keys to one table's files that its catalog gives out.
 *
 * Promise: later ones are asked for before they expire and once after the store refused them, by one request however many wait for
 * it; while the catalog is out of reach, keys that have not expired go on being used.
 */
import type { CredentialSource, GivenAccess } from "../../../storage/other_place.ts";
import { vendedAccess } from "./vended_access.ts";

/** Longest time before their end that keys are renewed, milliseconds: longer than one upload takes. Of short-lived ones, a quarter. */
const longestMarginMs = 300_000;

/** Keys as they were given out last. */
interface Taken {
  readonly access: GivenAccess;
  readonly location: string;
  /** Epoch milliseconds. */
  readonly renewAtMs: number;
}

/** The keys to one table. */
export class TableKeys {
  readonly #ask: () => Promise<unknown>;
  readonly #now: () => number;
  #taken: Taken | undefined;
  #coming: Promise<void> | undefined;

  /**
   * @param ask Loads the table, for the keys that come with it.
   * @param now Epoch milliseconds.
   */
  constructor(ask: () => Promise<unknown>, now: () => number = Date.now) {
    this.#ask = ask;
    this.#now = now;
  }

  /** Takes the keys in a `LoadTableResult`. Undefined where there are none: then the lake's own are to be used. */
  take(answer: unknown, location: string): GivenAccess | undefined {
    const access = vendedAccess(answer, location);
    if (access === undefined) return undefined;
    const { expiresAtMs = Infinity } = access;
    const lifeMs = expiresAtMs - this.#now();
    this.#taken = { access, location, renewAtMs: expiresAtMs - Math.min(longestMarginMs, lifeMs / 4) };
    return access;
  }

  /** What requests for the table's files are signed with. To be used once keys were taken. */
  readonly current: CredentialSource = async (refused) => {
    const taken = this.#known();
    const isRefused = refused !== undefined && refused.accessKeyId === taken.access.credentials.accessKeyId &&
      refused.sessionToken === taken.access.credentials.sessionToken;
    if (isRefused || this.#now() >= taken.renewAtMs) {
      this.#coming ??= this.#renewed(taken.location).finally(() => this.#coming = undefined);
      await this.#coming.catch((thrown) => {
        if (isRefused || this.#now() >= (taken.access.expiresAtMs ?? Infinity)) throw thrown;
      });
    }
    return this.#known().access.credentials;
  };

  async #renewed(location: string): Promise<void> {
    this.take(await this.#ask(), location);
  }

  #known(): Taken {
    if (this.#taken === undefined) throw new TypeError("No keys were taken yet");
    return this.#taken;
  }
}
