/**
 * What a terminal or a page may not be given raw: C0 and C1 controls but for tab and line feed, marks that change the
 * direction of the text around them, marks without width or shape, line breaks outside ASCII, half surrogates, non-characters.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be replaced
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** Text from outside made safe to show; line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(unsafe, "\ufffd");
}

/** The same as one line that cannot pass for another one: runs of white space become one space. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, " ")).trim();
}

/** The same, with what an ECMA string can hold as an escape (`\u202e`) instead of replaced: the text of JSON stays equal. */
export function escapeUnsafe(json: string): string {
  return json.replace(unsafe, (mark) =>
    Array.from({ length: mark.length }, (_, i) => `\\u${mark.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}
