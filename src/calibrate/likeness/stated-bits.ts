/** Bits of a weight, and how far those of the deployment may be from them. */
export interface StatedBits {
  readonly value: number;
  readonly reach: number;
}

/** Words that hold the bits of a weight, from the plainest to what is only mostly true. */
const patterns: readonly (readonly [RegExp, (found: RegExpExecArray) => StatedBits])[] = [
  [/\bw(\d+)a\d+/, exactly],
  [/\b(?:bf|fp|float|bfloat|int|mxfp|nvfp|mxint)(\d+)\b/, exactly],
  [/\b(\d+)[ -]?bits?\b/, exactly],
  // Types of llama.cpp, of which a file has several: q4_k_m keeps some tensors in 6 bits.
  [/\bi?q(\d)\b/, (found) => ({ value: Number(found[1]), reach: 2 })],
  [/\bhalf\b/, () => ({ value: 16, reach: 0 })],
  [/\be4m3\b|\be5m2\b/, () => ({ value: 8, reach: 0 })],
  [/\bawq\b|\bgptq\b/, () => ({ value: 4, reach: 0 })],
];

/** Bits of a weight by the words that tools and names of checkpoints use: `fp8`, `W4A16`, `AWQ-8bit`, `Q4_K - Medium`. */
export function statedBits(text: string): StatedBits | null {
  const plain = text.toLowerCase().replace(/[_/.]+/g, " ");
  for (const [pattern, bitsOf] of patterns) {
    const found = pattern.exec(plain);
    if (found !== null) return bitsOf(found);
  }
  return null;
}

function exactly(found: RegExpExecArray): StatedBits {
  return { value: Number(found[1]), reach: 0 };
}
