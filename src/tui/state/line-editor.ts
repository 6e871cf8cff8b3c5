import type { Prompt } from "./core.ts";

/** A prompt while its line is typed. `cursor`: before so many characters (code points) from the left. */
export interface TypedPrompt extends Prompt {
  readonly cursor: number;
}

/** A prompt that has just been asked, with the cursor behind its value. */
export const typedPrompt = (prompt: Prompt): TypedPrompt => ({ ...prompt, cursor: [...prompt.value].length });

/** The line with a text at its cursor. */
export const inserted = (line: TypedPrompt, text: string): TypedPrompt =>
  replaced(line, line.cursor, line.cursor, text);

/** The line after a key; the same one for a key that means nothing to it. */
export function edited(line: TypedPrompt, key: string): TypedPrompt {
  const { cursor } = line;
  const characters = [...line.value];
  const end = characters.length;
  switch (key) {
    case "left":
      return { ...line, cursor: Math.max(0, cursor - 1) };
    case "right":
      return { ...line, cursor: Math.min(end, cursor + 1) };
    case "home":
    case "ctrl+a":
      return { ...line, cursor: 0 };
    case "end":
    case "ctrl+e":
      return { ...line, cursor: end };
    case "backspace":
      return replaced(line, Math.max(0, cursor - 1), cursor, "");
    case "delete":
      return replaced(line, cursor, Math.min(end, cursor + 1), "");
    case "ctrl+u":
      return replaced(line, 0, cursor, "");
    case "ctrl+k":
      return replaced(line, cursor, end, "");
    case "ctrl+w": {
      const before = characters.slice(0, cursor).join("");
      return replaced(line, [...before.replace(/\S+\s*$/, "")].length, cursor, "");
    }
    case "tab":
      return completed(line);
    case "space":
      return inserted(line, " ");
    default:
      return [...key].length === 1 ? inserted(line, key) : line;
  }
}

/** What a text may be completed to. */
export const completions = ({ suggestions }: Prompt, text: string): readonly string[] =>
  suggestions.filter((one) => one.toLowerCase().startsWith(text.trim().toLowerCase()));

/** What Enter hands in: the only thing that the text may be completed to, or the text itself. */
export function handedIn(line: TypedPrompt): string {
  const { value, suggestions } = line;
  if (value.trim() === "" || suggestions.includes(value.trim())) return value;
  const found = completions(line, value);
  return found.length === 1 ? found[0]! : value;
}

/** As far as all that it may become agree. */
function completed(line: TypedPrompt): TypedPrompt {
  const found = completions(line, line.value);
  const [first] = found;
  if (first === undefined) return line;
  let common = first.length;
  for (const one of found) while (one.slice(0, common).toLowerCase() !== first.slice(0, common).toLowerCase()) common--;
  return typedPrompt({ ...line, value: first.slice(0, common) });
}

function replaced(line: TypedPrompt, from: number, to: number, text: string): TypedPrompt {
  const characters = [...line.value];
  const value = [...characters.slice(0, from), text, ...characters.slice(to)].join("");
  return { ...line, value, cursor: from + [...text].length };
}
