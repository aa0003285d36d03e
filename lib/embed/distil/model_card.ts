/** The page that goes with a distilled model: what it is, where it comes from, what it must not be used for. */

/** What the page says. */
export interface ModelCardFacts {
  /** Name and revision of the model learnt from. */
  readonly teacher: string;
  readonly dimensions: number;
  readonly tokens: number;
  readonly phrases: number;
  /** Texts it was fitted to. */
  readonly texts: number;
  /** Where those came from. */
  readonly corpus: string;
  /** The command that makes the same bytes again. */
  readonly command: string;
}

/** Markdown. */
export function modelCard(facts: ModelCardFacts): string {
  return `---
library_name: model2vec
base_model: ${facts.teacher.split("@")[0]}
tags: [embeddings, static-embeddings, sentence-transformers]
---

# A static embedding model

A table of ${facts.tokens} token vectors of ${facts.dimensions} dimensions in one byte a number. A text's vector is the mean of
its tokens' vectors, scaled to length 1. It needs no matrix arithmetic: where such a model of 128 dimensions was measured, one
processor core embedded some 50,000 account holders (280 characters) or 150,000 payments (200 characters) a second, the model
alone. What a table takes with reading and writing, \`deno task embed --dry-run\` measures.

| | |
|---|---|
| learnt from | ${facts.teacher} |
| fitted to | ${facts.texts} texts: ${facts.corpus} |
| phrases with a token of their own | ${facts.phrases} |
| layout | Model2Vec (\`config.json\`, \`tokenizer.json\`, \`model.safetensors\`) |
| made by | \`${facts.command}\` |

It is a work derived from the model it was learnt from, whose licence holds for it too.

## How it was made

The teacher was asked for the vector of every token of its vocabulary. These vectors were projected onto ${facts.dimensions} principal axes
and weighted, frequent words less. Phrases that many of the texts share got rows too, and the whole table was fitted by ridge
regression, so that sums over the texts, and over questions out of their words, point where the teacher's vectors of the same texts
do. Copies of the texts with a slip in a word or an amount count a little and are to get the vectors of those without. Then axes
along which the texts lie far out were made to count a little less, the others more. The same teacher, texts and kind of processor
give the same bytes; another processor can round the teacher's vectors otherwise, in the seventh digit.

## What it is for

Nearness of records like those it was fitted to, and short questions about them, in English. It knows no word order beyond its
phrases, no negation, and numbers only by the pieces they are written in. Names of people and places in the texts can pull
vectors together or apart: do not decide about people by them.
`;
}
