/** Words with commas between them, in lines of at most `width` characters. */
export function wordLines(words: readonly string[], width = 96): string[] {
  const lines: string[] = [];
  for (const [i, word] of words.entries()) {
    const part = i < words.length - 1 ? `${word},` : word;
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + part.length > width) lines.push(part);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return lines;
}

/** A sentence in lines of at most `width` characters, broken between words; a longer word has a line of its own. */
export function sentenceLines(sentence: string, width = 76): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
