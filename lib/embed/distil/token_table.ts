/** What the teacher says of every token by itself: where a static model begins. */
/** A token and what is asked of the teacher to learn about it. */
export interface TokenText {
  /** Undefined: a token that marks a text and is never part of one, such as `[CLS]`; its vector stays zero. */
  readonly text: string | undefined;
  /** How much of its vector counts: seldom tokens say more than frequent ones. */
  readonly weight: number;
}

/** Smaller makes frequent tokens weigh less; the value of Arora et al., "A Simple but Tough-to-Beat Baseline" (2017). */
const smoothing = 1e-4;

/**
 * The word pieces of a vocabulary. It stands in the order of frequency, as BERT's does, so that a token's share of all text
 * follows from its place (Zipf's law).
 */
export function tokenTexts(vocabulary: readonly string[], continuingPrefix: string): readonly TokenText[] {
  let inverseRanks = 0;
  for (let rank = 0; rank < vocabulary.length; rank++) inverseRanks += 1 / (rank + 2);
  return vocabulary.map((token, rank): TokenText => {
    const share = 1 / (rank + 2) / inverseRanks;
    return { text: pieceText(token, continuingPrefix), weight: smoothing / (smoothing + share) };
  });
}

function pieceText(token: string, continuingPrefix: string): string | undefined {
  if (/^\[[^\]]+\]$/.test(token)) return undefined;
  return token.startsWith(continuingPrefix) && token.length > continuingPrefix.length
    ? token.slice(continuingPrefix.length)
    : token;
}
