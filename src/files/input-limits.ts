const mebibyte = 1024 * 1024;

/**
 * The most bytes, decompressed, that an input read as a whole may have: what takes less than 512 MiB of memory to read.
 * Routing traces, request traces, texts and weights are read piece by piece and may be as long as they like.
 */
export const inputBytesMax = {
  /** Scenarios, profiles, forecasts, and measurements of serving. */
  text: 64 * mebibyte,
  /** The answer of a plan, whose keys are the same in every candidate; 100,000, a twentieth of which ran, have 71 MiB. */
  plan: 256 * mebibyte,
  /** config.json and hf_quant_config.json of a model; the largest published ones have less than 1 MiB. */
  modelConfig: 16 * mebibyte,
  /** model.safetensors.index.json; those of a trillion parameters have about 20 MiB. */
  shardIndex: 64 * mebibyte,
  /** tokenizer.json; vocabularies of 256,000 tokens take about 33 MiB. */
  tokenizer: 64 * mebibyte,
  /** Expert map of a serving engine; 94 layers of 512 slots, a line each as json.dump writes them, take about 2 MiB. */
  expertMap: 16 * mebibyte,
  /** Journal of a recording. */
  journal: 16 * mebibyte,
  /** A table of measured kernels. */
  kernelTable: 64 * mebibyte,
  /** What describes such a table. */
  tableDescription: mebibyte,
} as const;

/** Rows of a table of measured kernels; the largest published one has 99,005. */
export const kernelTableRowsMax = 250_000;
