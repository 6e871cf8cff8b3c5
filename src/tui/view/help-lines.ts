import { oneLine } from "../../core/printable.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, type Size } from "../../report/widgets/styled-text.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "../keys/global-keys.ts";
import { isCommon, keyLabel, keysOf } from "../keys/key-map.ts";
import type { AnyScreen, KeyBinding } from "../screens/screen.ts";
import { screenOf, screens } from "../screens/screens.ts";
import type { AppState } from "../state/app-state.ts";

interface HelpRow {
  readonly where: string;
  /** Keys, or a word. */
  readonly what: string;
  readonly help: string;
}

/** All keys whose line holds what was typed, and what words mean; those of the screen that is shown first. */
export function helpLines({ help, screen, keys }: AppState, palette: Palette, { width, height }: Size): string[] {
  const { filter, from } = help!;
  const shown = screenOf(screen);
  const labels = (of: string | null, binding: KeyBinding) =>
    keysOf(keys, of, binding)
      .map((key) => keyLabel(key, palette.glyphs.braille))
      .join(" ");
  const own = ({ id, title, keys: bindings, words = [] }: AnyScreen): HelpRow[] => [
    ...bindings
      .filter((binding) => !isCommon(binding))
      .map((binding) => ({ where: title, what: labels(id, binding), help: binding.help })),
    ...words.map(([word, meaning]) => ({ where: title, what: word, help: meaning })),
  ];
  const rows: HelpRow[] = [
    ...own(shown),
    {
      where: "all screens",
      what: screens.length > 9 ? "1 ... 9 0" : `1 ... ${screens.length}`,
      help: "to a screen by its number",
    },
    ...[...globalKeys, ...moveKeys, ...sidewaysKeys].map((binding) => ({
      where: "all screens",
      what: labels(null, binding),
      help: binding.help,
    })),
    ...screens.filter(({ id }) => id !== shown.id).flatMap(own),
  ];
  const wanted = filter.trim().toLowerCase();
  const found = rows.filter((row) => `${row.where} ${row.what} ${row.help}`.toLowerCase().includes(wanted));
  const whatWidth = Math.max(8, ...found.map(({ what }) => what.length));
  const lines = found.flatMap(({ where, what, help: text }) =>
    wrap(text, Math.max(20, width - whatWidth - 17)).map((line, i) =>
      fitLine(
        ` ${palette.dim(fitLine(i === 0 ? where : "", 12))} ${palette.bold(fitLine(i === 0 ? what : "", whatWidth))}  ${line.trim()}`,
        width,
      ),
    ),
  );
  if (lines.length === 0) lines.push(palette.dim(" nothing: Backspace takes letters away, Esc goes back"));
  const room = Math.max(1, height - 2);
  const first = Math.max(0, Math.min(from, lines.length - room));
  return [
    ` ${palette.bold("Keys and words")}  ${wanted === "" ? palette.dim("type to filter") : `with "${oneLine(filter)}"`}`,
    "",
    ...lines.slice(first, first + room),
  ];
}
