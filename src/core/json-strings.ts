/** The position behind the JSON string that begins at `at`; the end of the text where it is not closed. */
export function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === backslash) i++;
    else if (code === quote) return i + 1;
  }
  return text.length;
}

const quote = 0x22;
const backslash = 0x5c;
