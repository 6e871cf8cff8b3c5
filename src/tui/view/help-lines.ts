import { oneLine } from "../../core/printable.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, type Size } from "../../report/widgets/styled-text.ts";
import { globalKeys, moveKeys, sidewaysKeys } from "../keys/global-keys.ts";
import { isCommon, keyLabel, keysOf } from "../keys/key-map.ts";
import type { KeyBinding } from "../screens/screen.ts";
import { screenOf, screens } from "../screens/screens.ts";
import type { AppState } from "../state/app-state.ts";

interface HelpRow {
  readonly where: string;
  readonly keys: string;
  readonly help: string;
}

/** All keys whose line holds what was typed, those of the screen that is shown first. */
export function helpLines({ help, screen, keys }: AppState, palette: Palette, { width, height }: Size): string[] {
  const { filter, from } = help!;
  const shown = screenOf(screen);
  const labels = (of: string | null, binding: KeyBinding) =>
    keysOf(keys, of, binding)
      .map((key) => keyLabel(key, palette.glyphs.braille))
      .join(" ");
  const own = (id: string, title: string, bindings: readonly KeyBinding[]): HelpRow[] =>
    bindings
      .filter((binding) => !isCommon(binding))
      .map((binding) => ({ where: title, keys: labels(id, binding), help: binding.help }));
  const rows: HelpRow[] = [
    ...own(shown.id, shown.title, shown.keys),
    {
      where: "all screens",
      keys: screens.length > 9 ? "1 ... 9 0" : `1 ... ${screens.length}`,
      help: "to a screen by its number",
    },
    ...[...globalKeys, ...moveKeys, ...sidewaysKeys].map((binding) => ({
      where: "all screens",
      keys: labels(null, binding),
      help: binding.help,
    })),
    ...screens.filter(({ id }) => id !== shown.id).flatMap(({ id, title, keys: theirs }) => own(id, title, theirs)),
  ];
  const wanted = filter.trim().toLowerCase();
  const found = rows.filter((row) => `${row.where} ${row.keys} ${row.help}`.toLowerCase().includes(wanted));
  const first = Math.max(0, Math.min(from, found.length - (height - 2)));
  const keyWidth = Math.max(8, ...found.map((row) => row.keys.length));
  return [
    ` ${palette.bold("Keys")}  ${wanted === "" ? palette.dim("type to filter") : `with "${oneLine(filter)}"`}`,
    "",
    ...found
      .slice(first, first + Math.max(1, height - 2))
      .map((row) =>
        fitLine(
          ` ${palette.dim(fitLine(row.where, 12))} ${palette.bold(fitLine(row.keys, keyWidth))}  ${row.help}`,
          width,
        ),
      ),
  ];
}
