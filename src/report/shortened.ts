import { oneLine } from "../core/printable.ts";

/** Text in one line of at most `most` characters, an ellipsis at its end where it was longer. */
export function shortened(text: string, most: number): string {
  const characters = [...oneLine(text)];
  return characters.length <= most ? characters.join("") : `${characters.slice(0, most - 3).join("")}...`;
}
