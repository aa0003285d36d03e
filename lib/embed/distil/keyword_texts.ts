/**
 * Short texts such as people search by: a few of a record's values, without their labels and in any order. Fitted to whole records
 * alone, a static model leaves it to the labels to say what kind of record a text is of, and a question holds no labels.
 */
import { segmentEnd } from "../static/text_tokenizer.ts";
import { elementEnd } from "./domain_phrases.ts";

const label = /^[^:;]*: /;
const valuesMost = 3;

/** What {@linkcode keywordTexts} goes by. */
export interface KeywordOptions {
  /** Of so many records one is asked for. */
  readonly every: number;
  /** A whole number from 0 to below the bound; the same each time for the same result each time. */
  readonly below: (bound: number) => number;
}

/** Texts of one to three values of a record each; of a list of values one stands for all. */
export function keywordTexts(corpus: readonly string[], { every, below }: KeywordOptions): readonly string[] {
  return corpus.filter((_, index) => index % every === 0).map((text) => {
    const values = text.split(segmentEnd).map((part) => part.replace(label, ""));
    const chosen = Array.from({ length: Math.min(values.length, 1 + below(valuesMost)) }, () => {
      const [value = ""] = values.splice(below(values.length), 1);
      const elements = value.split(elementEnd);
      return elements[below(elements.length)]!;
    });
    return chosen.join(" ");
  });
}
