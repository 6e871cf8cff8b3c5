/** Characters of base64 that terminals take as one sequence. */
const charsMax = 74_000;

/** What puts a text on the clipboard of a terminal (OSC 52), over ssh too; terminals may refuse, and do not say. null: terminals do not take so much. */
export function clipboardBytes(text: string): string | null {
  const encoded = Buffer.from(text, "utf8").toString("base64");
  return encoded.length <= charsMax ? `\u001b]52;c;${encoded}\u0007` : null;
}
