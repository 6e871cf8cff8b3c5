/**
 * Byte-level byte-pair encoding (Sennrich et al. 2016, over bytes as in GPT-2): learns merges from texts and writes them
 * as the tokenizer.json that Hugging Face libraries read.
 */

/** GPT-2's split into words: contractions, letters, digits, other signs, each with its leading space; then spaces. */
const words = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** GPT-2's printable stand-in for each byte: printable Latin-1 signs stand for themselves, the others from U+0100 on. */
function byteSigns(): string[] {
  const signs: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    signs.push(String.fromCodePoint(printable ? byte : next++));
  }
  return signs;
}

interface Word {
  pieces: number[];
  readonly count: number;
}

/** A vocabulary in order of ids, and the merges in order of learning, as pairs of vocabulary entries. */
export interface BytePairs {
  readonly vocabulary: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Learns `vocabularySize` - 257 merges, always of the most frequent pair (of equally frequent ones the lowest ids), from
 * the words of the texts. Entry 256 ends a document.
 */
export function learnBytePairs(texts: readonly string[], vocabularySize: number): BytePairs {
  const signs = byteSigns();
  const counts = new Map<string, number>();
  for (const text of texts) for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const list: Word[] = [...counts].map(([word, count]) => ({ pieces: [...new TextEncoder().encode(word)], count }));
  const vocabulary = [...signs, endOfText];
  const merges: [string, string][] = [];
  const pairCounts = new Map<number, number>();
  const wordsWith = new Map<number, Set<number>>();
  const keyOf = (a: number, b: number) => a * 65_536 + b;
  const add = (index: number, sign: 1 | -1) => {
    const { pieces, count } = list[index]!;
    for (let i = 0; i + 1 < pieces.length; i++) {
      const key = keyOf(pieces[i]!, pieces[i + 1]!);
      pairCounts.set(key, (pairCounts.get(key) ?? 0) + sign * count);
      if (sign > 0) {
        const inside = wordsWith.get(key);
        if (inside === undefined) wordsWith.set(key, new Set([index]));
        else inside.add(index);
      }
    }
  };
  for (let index = 0; index < list.length; index++) add(index, 1);
  while (vocabulary.length < vocabularySize) {
    let best = -1;
    let most = 1;
    for (const [key, count] of pairCounts)
      if (count > most || (count === most && best >= 0 && key < best)) {
        best = key;
        most = count;
      }
    if (best < 0) break;
    const left = Math.floor(best / 65_536);
    const right = best % 65_536;
    const merged = vocabulary.length;
    vocabulary.push(`${vocabulary[left]}${vocabulary[right]}`);
    merges.push([vocabulary[left]!, vocabulary[right]!]);
    for (const index of wordsWith.get(best) ?? []) {
      add(index, -1);
      list[index]!.pieces = mergePair(list[index]!.pieces, left, right, merged);
      add(index, 1);
    }
    pairCounts.delete(best);
    wordsWith.delete(best);
  }
  return { vocabulary, merges };
}

function mergePair(pieces: readonly number[], left: number, right: number, merged: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < pieces.length; i++)
    if (pieces[i] === left && pieces[i + 1] === right) {
      out.push(merged);
      i++;
    } else out.push(pieces[i]!);
  return out;
}

/** The entry between documents. */
const endOfText = "<|endoftext|>";

/** tokenizer.json of a byte-level BPE without special treatment of the start of a text. */
export function tokenizerJson({ vocabulary, merges }: BytePairs): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: vocabulary.indexOf(endOfText),
        content: endOfText,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((entry, id) => [entry, id])),
      merges,
    },
  };
}
