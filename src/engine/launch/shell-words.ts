/** A value that is known where a line is run alone: a variable of the shell, as a number `times` as much. */
export interface Variable {
  readonly variable: string;
  readonly times?: number;
}

/** A word of a command line: text, or pieces that stand together. */
export type Word = string | readonly (string | Variable)[];

/** Words that no shell reads anything into. */
const plain = /^[\w./:=,@%+-]+$/;

/** Text as one word of a POSIX shell: whatever it holds stays text. A NUL, which no argument can hold, is left out. */
export function shellQuoted(text: string): string {
  const held = text.replaceAll("\0", "");
  return plain.test(held) ? held : `'${held.replaceAll("'", "'\\''")}'`;
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: Word): string {
  if (typeof word === "string") return shellQuoted(word);
  return word.map((piece) => (typeof piece === "string" ? shellQuoted(piece) : variableText(piece))).join("");
}

const variableText = ({ variable, times }: Variable): string =>
  times === undefined ? `"$${variable}"` : `"$((${variable} * ${times}))"`;

/** A word with the values of its variables. */
export function wordWith(word: Word, values: Readonly<Record<string, string>>): string {
  if (typeof word === "string") return word;
  return word
    .map((piece) => {
      if (typeof piece === "string") return piece;
      const value = values[piece.variable] ?? "";
      return piece.times === undefined ? value : String(Number(value) * piece.times);
    })
    .join("");
}

/** Variables that a word needs. */
export const variablesOf = (word: Word): string[] =>
  typeof word === "string" ? [] : word.flatMap((piece) => (typeof piece === "string" ? [] : [piece.variable]));
