import { oneLine } from "../../core/printable.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, styledWidth } from "../../report/widgets/styled-text.ts";
import { completions, type TypedPrompt } from "../state/line-editor.ts";

/** The line that is being typed, with what it may become behind it. Of a long one the part before the cursor is seen. */
export function promptLine(prompt: TypedPrompt, palette: Palette, width: number): string {
  const characters = [...prompt.value];
  const label = ` ${oneLine(prompt.label)}${prompt.label.endsWith(" ") ? " " : ""}`;
  const after = shownText(characters.slice(prompt.cursor + 1).join(""));
  const at = characters[prompt.cursor] ?? " ";
  let before = shownText(characters.slice(0, prompt.cursor).join(""));
  const room = Math.max(1, width - styledWidth(label) - 2);
  if (styledWidth(before) > room) {
    const { ellipsis } = palette.glyphs;
    let kept = [...before];
    while (kept.length > 0 && styledWidth(kept.join("")) >= room) kept = kept.slice(1);
    before = `${ellipsis}${kept.join("")}`;
  }
  const found = completions(prompt, prompt.value).filter((one) => one !== prompt.value);
  const rest = found.length === 0 ? "" : palette.dim(`  ${oneLine(found.join("  "))}`);
  return fitLine(`${label}${before}${palette.inverse(shownText(at))}${after}${rest}`, width, palette.glyphs.ellipsis);
}

/** Blanks are kept, and nothing else that is not seen. */
const shownText = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "");
