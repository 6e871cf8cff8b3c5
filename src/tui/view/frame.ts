import { oneLine } from "../../core/printable.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { clip, fitLine, styledWidth } from "../../report/widgets/styled-text.ts";
import { globalKeys } from "../keys/global-keys.ts";
import { isCommon, keyLabel, keysOf } from "../keys/key-map.ts";
import type { KeyBinding } from "../screens/screen.ts";
import { screenOf, screens } from "../screens/screens.ts";
import type { AppState } from "../state/app-state.ts";
import { helpLines } from "./help-lines.ts";
import { bodyArea } from "./layout.ts";

/** A whole screen: at most one line fewer than the terminal has. `prompt` is the line that is being typed, as Ink draws it. */
export function frame(state: AppState, palette: Palette, prompt: string): readonly string[] {
  const { size } = state.core;
  const area = bodyArea(size);
  const { width } = size;
  const body = clip(bodyLines(state, palette), area);
  const filled = [...body, ...new Array<string>(area.height - body.length).fill("")];
  return clip(
    [
      titleLine(state, palette),
      palette.dim(palette.glyphs.horizontal.repeat(width)),
      ...filled,
      state.prompt === null ? noticeLine(state, palette) : fitLine(prompt, width),
      footerLine(state, palette),
    ],
    { width, height: Math.max(1, size.height - 1) },
  );
}

function bodyLines(state: AppState, palette: Palette): readonly string[] {
  const area = bodyArea(state.core.size);
  if (state.help !== null) return helpLines(state, palette, area);
  const screen = screenOf(state.screen);
  const missing = screen.missing?.(state.core) ?? null;
  if (missing !== null) return ["", ...wrap(missing, Math.max(1, area.width - 4)).map((line) => `  ${line.trim()}`)];
  return screen.view(state.own[screen.id], state.core, area, palette);
}

/** The screens by number, the one that is shown marked; of a narrow terminal only numbers and this one. */
function titleLine({ screen, core: { size } }: AppState, palette: Palette): string {
  const tab = (title: string, i: number, isShown: boolean) =>
    isShown ? palette.inverse(` ${i + 1} ${title} `) : palette.dim(` ${i + 1} ${title} `);
  const all = screens.map(({ id, title }, i) => tab(title, i, id === screen)).join("");
  const name = palette.bold(palette.accent("moecast"));
  const line = `${name} ${all}`;
  if (styledWidth(line) <= size.width) return line;
  return `${name} ${screens.map(({ id, title }, i) => (id === screen ? tab(title, i, true) : palette.dim(` ${i + 1}`))).join("")}`;
}

function noticeLine({ notice, reading }: AppState, palette: Palette): string {
  if (notice === null) return reading === null ? "" : palette.dim(` reading ${oneLine(reading)} ...  Esc ends it`);
  const text = ` ${oneLine(notice.text)}`;
  return notice.tone === null ? text : palette[notice.tone](text);
}

/** Keys of the screen, as many as there is room for beside those of all screens. */
function footerLine({ screen, keys, core: { size }, help }: AppState, palette: Palette): string {
  const own = screenOf(screen);
  const item = (key: string | undefined, text: string) =>
    key === undefined ? [] : [`${palette.bold(keyLabel(key, palette.glyphs.braille))} ${palette.dim(text)}`];
  if (help !== null) return ` ${[...item("escape", "back"), ...item("down", "more")].join("  ")}`;
  const named = (of: string | null, bindings: readonly KeyBinding[]) =>
    bindings
      .filter((binding) => binding.quiet !== true && !isCommon(binding))
      .flatMap((binding) => item(keysOf(keys, of, binding)[0], binding.help));
  const always = named(null, globalKeys).join("  ");
  let line = "";
  for (const one of named(own.id, own.keys)) {
    const longer = `${line} ${one} `;
    if (styledWidth(longer) + styledWidth(always) + 1 > size.width) break;
    line = longer;
  }
  return `${line} ${always}`;
}
