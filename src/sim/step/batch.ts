/**
 * Work of one data-parallel rank in one step, summed over its sequences. The cost of attention depends on the keys seen
 * under each window of the model, so those sums are kept per window.
 */
export interface RankBatch {
  /** Tokens computed: prefill and decode. */
  tokens: number;
  /** Sequences that decode. */
  decodeSequences: number;
  /** Tokens of decoding sequences: one each, and the draft tokens that they verify. */
  decodeTokens: number;
  prefillTokens: number;
  /** Prompt tokens whose keys a device makes ready: `prefillTokens`, or under context parallelism those of the whole group. */
  keyTokens: number;
  /** Most prompt tokens that one sequence computes. */
  longestPrompt: number;
  /** Longest context at the end of the step among sequences that compute their prompt. */
  longestPromptContext: number;
  /** Sequences with any token in the step. */
  sequences: number;
  /** Positions that the LM head runs on: one per sequence that emits at the end of the step, and its draft tokens. */
  sampled: number;
  /** [windows] keys read by decoding sequences, once per sequence. */
  readonly decodeKeys: Float64Array;
  /** [windows] keys that each decoded token sees, summed. */
  readonly decodePairs: Float64Array;
  /** [windows] keys that each prefill token sees, summed. */
  readonly prefillPairs: Float64Array;
  /** [windows] keys read by prefill chunks, once per sequence. */
  readonly prefillKeys: Float64Array;
}

export function emptyBatch(windows: number): RankBatch {
  return {
    tokens: 0,
    decodeSequences: 0,
    decodeTokens: 0,
    prefillTokens: 0,
    keyTokens: 0,
    longestPrompt: 0,
    longestPromptContext: 0,
    sequences: 0,
    sampled: 0,
    decodeKeys: new Float64Array(windows),
    decodePairs: new Float64Array(windows),
    prefillPairs: new Float64Array(windows),
    prefillKeys: new Float64Array(windows),
  };
}

export function clearBatch(batch: RankBatch): void {
  batch.tokens = 0;
  batch.decodeSequences = 0;
  batch.decodeTokens = 0;
  batch.prefillTokens = 0;
  batch.keyTokens = 0;
  batch.longestPrompt = 0;
  batch.longestPromptContext = 0;
  batch.sequences = 0;
  batch.sampled = 0;
  batch.decodeKeys.fill(0);
  batch.decodePairs.fill(0);
  batch.prefillPairs.fill(0);
  batch.prefillKeys.fill(0);
}

/** Makes `half` one half of a batch that is divided evenly. */
export function halveBatch(half: RankBatch, batch: RankBatch): void {
  half.tokens = batch.tokens / 2;
  half.decodeSequences = batch.decodeSequences / 2;
  half.decodeTokens = batch.decodeTokens / 2;
  half.prefillTokens = batch.prefillTokens / 2;
  half.keyTokens = batch.keyTokens / 2;
  half.sequences = batch.sequences / 2;
  half.sampled = batch.sampled / 2;
  for (let w = 0; w < half.decodeKeys.length; w++) {
    half.decodeKeys[w] = batch.decodeKeys[w]! / 2;
    half.decodePairs[w] = batch.decodePairs[w]! / 2;
    half.prefillPairs[w] = batch.prefillPairs[w]! / 2;
    half.prefillKeys[w] = batch.prefillKeys[w]! / 2;
  }
}

/**
 * Adds positions [done, done + tokens) of one sequence. A query at position p sees min(p + 1, window) keys. `decode`:
 * the prompt is computed, and the chunk is the next token with the draft tokens behind it.
 */
export function addChunk(batch: RankBatch, windows: Float64Array, done: number, tokens: number, decode: boolean): void {
  batch.tokens += tokens;
  batch.sequences += 1;
  const end = done + tokens;
  if (decode) {
    batch.decodeSequences += 1;
    batch.decodeTokens += tokens;
    for (let w = 0; w < windows.length; w++) {
      const window = windows[w]!;
      const keys = Math.min(end, window + tokens - 1);
      batch.decodeKeys[w]! += keys;
      // One query scores the keys it reads.
      batch.decodePairs[w]! += tokens === 1 ? keys : visibleKeys(end, window) - visibleKeys(done, window);
    }
    return;
  }
  batch.prefillTokens += tokens;
  batch.keyTokens += tokens;
  if (tokens > batch.longestPrompt) batch.longestPrompt = tokens;
  if (end > batch.longestPromptContext) batch.longestPromptContext = end;
  for (let w = 0; w < windows.length; w++) {
    const window = windows[w]!;
    batch.prefillPairs[w]! += visibleKeys(end, window) - visibleKeys(done, window);
    batch.prefillKeys[w]! += Math.min(end, window + tokens - 1);
  }
}

/** Sum over positions p < n of min(p + 1, window). */
function visibleKeys(n: number, window: number): number {
  if (n <= window) return (n * (n + 1)) / 2;
  return (window * (window + 1)) / 2 + (n - window) * window;
}
