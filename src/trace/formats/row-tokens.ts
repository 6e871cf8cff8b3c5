/** What a file says of the tokens of a sequence: ids of its prompt and of its output, or how many there are. */
export interface SequenceTokens {
  readonly prompt: number;
  readonly promptIds: Int32Array | null;
  readonly output: number | null;
  readonly outputIds: Int32Array | null;
}

/** Which rows of an array are of the prompt, where it begins in the sequence, and the token of each row where that is told. */
export interface RowTokens {
  readonly promptRows: number;
  readonly firstPosition: number;
  readonly tokens: Int32Array | null;
}

/**
 * Places the rows of an array among the tokens of its sequence: all tokens but perhaps the last, which is never fed back, have a
 * row, or those of the output alone. null where the lengths say neither. As many rows as the output has tokens may be those that
 * gave them or those that were fed back, one token apart: their tokens are not told.
 */
export function rowTokens(rows: number, of: SequenceTokens): RowTokens | null {
  const { prompt, output } = of;
  if (output === null)
    return prompt <= rows ? { promptRows: prompt, firstPosition: 0, tokens: idsOf(rows, 0, of) } : null;
  const whole = prompt + output;
  if (rows === whole || rows === whole - 1)
    return { promptRows: Math.min(prompt, rows), firstPosition: 0, tokens: idsOf(rows, 0, of) };
  if (rows !== output && rows !== output - 1) return null;
  return { promptRows: 0, firstPosition: prompt, tokens: rows === output ? null : idsOf(rows, prompt, of) };
}

/** Ids of the tokens from position `first` on; null unless all of them are told. */
export function idsOf(
  rows: number,
  first: number,
  { prompt, promptIds, outputIds }: SequenceTokens,
): Int32Array | null {
  const ids = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = first + row;
    const id = at < prompt ? promptIds?.[at] : outputIds?.[at - prompt];
    if (id === undefined) return null;
    ids[row] = id;
  }
  return ids;
}
