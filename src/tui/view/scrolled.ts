import type { Palette } from "../../report/widgets/palette.ts";
import { placeText } from "../../report/widgets/scroll-table.ts";
import type { Size } from "../../report/widgets/styled-text.ts";

/** Lines of a text that are seen at once: the last line says where they are. */
const textHeight = ({ height }: Size): number => Math.max(1, height - 1);

/** The first line that is seen after a move; unchanged for other actions. */
export function scrolledTo(from: number, action: string, count: number, area: Size): number {
  const page = textHeight(area);
  const last = Math.max(0, count - page);
  const to = {
    up: from - 1,
    down: from + 1,
    pageUp: from - page,
    pageDown: from + page,
    first: 0,
    last,
  }[action];
  return Math.max(0, Math.min(last, to ?? from));
}

/** A text of many lines, from one of them on. */
export function scrolledText(lines: readonly string[], from: number, area: Size, palette: Palette): string[] {
  if (lines.length <= area.height) return [...lines];
  const visible = textHeight(area);
  const first = Math.max(0, Math.min(from, lines.length - visible));
  const seen = lines.slice(first, first + visible);
  return [...seen, palette.dim(`${placeText(first, visible, lines.length)} lines`)];
}
