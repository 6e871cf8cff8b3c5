import { oneLine } from "../../core/printable.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { clip, styledWidth } from "../../report/widgets/styled-text.ts";
import { globalKeys } from "../keys/global-keys.ts";
import { isCommon, keyLabel, keysOf } from "../keys/key-map.ts";
import type { AnyScreen, KeyBinding } from "../screens/screen.ts";
import { screenOf, screens } from "../screens/screens.ts";
import type { AppState } from "../state/app-state.ts";
import { helpLines } from "./help-lines.ts";
import { bodyArea, isWide } from "./layout.ts";
import { promptLine } from "./prompt-line.ts";

/** A whole screen: at most one line fewer than the terminal has. */
export function frame(state: AppState, palette: Palette): readonly string[] {
  const { size } = state.core;
  const area = bodyArea(size);
  const { width } = size;
  const body = clip(bodyLines(state, palette), area);
  const below = state.prompt === null ? noticeLines(state, palette) : [promptLine(state.prompt, palette, width)];
  const filled = [...body, ...new Array<string>(area.height - body.length).fill("")];
  return clip(
    [
      titleLine(state, palette),
      palette.dim(palette.glyphs.horizontal.repeat(width)),
      ...filled.slice(0, area.height + 1 - below.length),
      ...below,
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

/** The screens by number, the one that is shown marked; of a narrow terminal with short names, then numbers alone beside this one. */
function titleLine({ screen, core: { size } }: AppState, palette: Palette): string {
  const name = palette.bold(palette.accent("moecast"));
  // Where nothing is drawn in reverse, a sign stands before it.
  const pointer = palette.inverse(" ") === " " ? palette.glyphs.pointer : null;
  const tabs = (text: (one: AnyScreen, number: number) => string, gap: string) =>
    screens
      .map((one, i) => {
        const tab = `${gap}${text(one, i + 1)}${gap}`;
        if (one.id !== screen) return palette.dim(tab);
        return pointer === null ? palette.inverse(palette.accent(tab)) : `${pointer}${tab.trimStart()}`;
      })
      .join(gap === "" ? " " : "");
  const lines = [
    `${name} ${tabs(({ title }, i) => `${i} ${title}`, " ")}`,
    tabs(({ title }, i) => `${i} ${title}`, ""),
    tabs(({ title, short = title }, i) => `${i} ${short}`, ""),
    `${name} ${tabs(({ id, title }, i) => (id === screen ? `${i} ${title}` : `${i}`), "")}`,
  ];
  return lines.find((line) => styledWidth(line) <= size.width) ?? lines.at(-1)!;
}

/** A long message takes so many lines at most: a command line is meant to be read whole. */
const noticeMax = 4;

function noticeLines({ notice, reading, core: { size } }: AppState, palette: Palette): readonly string[] {
  if (notice === null) return [reading === null ? "" : palette.dim(` reading ${oneLine(reading)} ...  Esc ends it`)];
  const lines = wrap(oneLine(notice.text), Math.max(1, size.width - 2)).slice(0, noticeMax);
  return lines.map((line) => (notice.tone === null ? ` ${line}` : palette[notice.tone](` ${line}`)));
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
  // Esc is what everybody tries.
  const isNarrow = !isWide(size);
  const always = named(
    null,
    globalKeys.filter(({ action }) => !(isNarrow && action === "back")),
  ).join("  ");
  let line = "";
  for (const one of named(own.id, own.keys)) {
    const longer = `${line} ${one} `;
    if (styledWidth(longer) + styledWidth(always) + 1 > size.width) break;
    line = longer;
  }
  return `${line} ${always}`;
}
