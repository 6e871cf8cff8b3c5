import { formatCount } from "../../core/units.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { clip, type Size } from "../../report/widgets/styled-text.ts";

/** The first lines that fit; the last of them says how many follow, and how to see them. */
export function cutLines(lines: readonly string[], size: Size, palette: Palette, how: string): string[] {
  if (lines.length <= size.height) return clip(lines, size);
  const kept = lines.slice(0, Math.max(0, size.height - 1));
  return clip([...kept, palette.dim(`${formatCount(lines.length - kept.length)} more lines: ${how}`)], size);
}
