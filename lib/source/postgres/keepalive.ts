/**
 * What passes between server and stream beside changes: our status replies, what the server asks for, and silence. It says
 * when something is due; the stream does it.
 */

/** How long things may take. */
export interface KeepaliveLimits {
  /** Milliseconds between status replies. */
  readonly statusMs: number;
  /** Milliseconds without a word, though asked, after which a connection counts as lost. */
  readonly silenceMs: number;
}

/** How long a server that is told to stop is kept waiting for what is not recorded: it is read again after the start. */
const stopWaitMs = 3000;

/** The state of one stream, over all its connections. */
export class Keepalive {
  readonly #limits: KeepaliveLimits;
  #lastStatusMs = 0;
  #lastMessageMs = 0;
  #isAsked = false;
  /** Since when the server has wanted to hear that all it sent is recorded. */
  #askedAtMs: number | undefined;
  /** It asks again after each reply: one a tick is enough. */
  #owesReply = false;
  #silenceMs: number;

  constructor(limits: KeepaliveLimits) {
    this.#limits = limits;
    this.#silenceMs = limits.silenceMs;
  }

  /** A new connection has asked for nothing yet. */
  connected(): void {
    this.heard();
    this.#askedAtMs = undefined;
  }

  /** Silence counts from now: a message came, or reading was paused or goes on. */
  heard(): void {
    this.#lastMessageMs = Date.now();
  }

  /** The server wants to hear that all it sent is recorded: one that is told to stop waits for that. */
  asked(): void {
    this.#isAsked = this.#owesReply = true;
    this.#askedAtMs ??= Date.now();
  }

  /** Whether it asked since this was called last. */
  takeAsked(): boolean {
    const isAsked = this.#isAsked;
    this.#isAsked = false;
    return isAsked;
  }

  /** Whether a server that may be on its way down was kept waiting for long enough. */
  isStopDue(nowMs: number): boolean {
    return this.#askedAtMs !== undefined && nowMs - this.#askedAtMs > stopWaitMs;
  }

  /** It is looked into whether the server is on its way down: not again until it asks again. */
  lookedIntoStop(): void {
    this.#askedAtMs = undefined;
  }

  /** @param wish.isSoon Somebody waits for what the server says to the next reply. */
  isStatusDue(nowMs: number, wish: { readonly isSoon: boolean; readonly isHeld: boolean }): boolean {
    return ((wish.isSoon || this.#owesReply) && !wish.isHeld) || nowMs - this.#lastStatusMs >= this.#limits.statusMs;
  }

  /** A status reply went out. */
  replied(): void {
    this.#lastStatusMs = Date.now();
    this.#owesReply = false;
  }

  /** Milliseconds of a silence that has lasted too long; undefined where none has. */
  tooLongSilence(nowMs: number): number | undefined {
    return nowMs - this.#lastMessageMs > this.#silenceMs ? this.#silenceMs : undefined;
  }

  /** A connection ended in silence. The next one may be longer: a server can be busy for long with what it then does not send. */
  endedInSilence(): void {
    this.#silenceMs *= 2;
  }

  /** A batch came of what was read: silence is no longer than usual again. */
  progressed(): void {
    this.#silenceMs = this.#limits.silenceMs;
  }
}
