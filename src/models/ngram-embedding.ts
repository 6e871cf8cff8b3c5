import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import type { ModelSpec } from "./spec.ts";

const path = "ngramEmbedding";

/**
 * Tables of LongCat-Flash-Lite: for each of the 2 to `emb_neighbor_num` last tokens `emb_split_num` tables, whose rows
 * share the hidden size among all tables. Each has `ngram_vocab_size_ratio` vocabularies of rows and a few more, no two
 * alike, and a projection back to the hidden size.
 */
export function ngramEmbedding(
  reader: ConfigReader,
  family: Family,
  { hiddenSize, vocabSize }: Pick<ModelSpec, "hiddenSize" | "vocabSize">,
): NonNullable<ModelSpec["ngramEmbedding"]> | null {
  if (!family.ngrams) return null;
  const ratio = reader.count(`${path}.vocabularies`, ["ngram_vocab_size_ratio"], { max: 65536 });
  const longest = reader.count(`${path}.longest`, ["emb_neighbor_num"], { min: 2, max: 64 });
  const splits = reader.count(`${path}.splits`, ["emb_split_num"], { max: 64 });
  const tables = splits * (longest - 1);
  const rowValues = hiddenSize / tables;
  if (!Number.isInteger(rowValues))
    reader.problem("emb_split_num", `tables that divide hidden_size ${hiddenSize}, not ${tables}`, splits);
  let rows = 0;
  for (let table = 0; table < tables; table++) rows += ratio * vocabSize + 2 * table + 1;
  reader.assume("looking up n-grams and projecting them to the hidden size takes no time");
  return {
    tableParameters: rows * rowValues,
    rowParameters: tables * rowValues,
    projectionParameters: tables * rowValues * hiddenSize,
  };
}
