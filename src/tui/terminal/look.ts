import { type ColourDepth, makePalette, type Palette } from "../../report/widgets/palette.ts";

/** Environment variables that say what a terminal can show. */
export type LookEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * How a terminal is drawn on. Colour: `allowed` (no `--no-color`), then FORCE_COLOR (0 to 3), then NO_COLOR, then what TERM and
 * COLORTERM say. Signs beyond ASCII where the locale is UTF-8 and `ascii` is not asked for.
 */
export function lookFor(
  options: { readonly allowed: boolean; readonly ascii: boolean },
  environment: LookEnvironment,
): Palette {
  const term = environment["TERM"] ?? "";
  const marks = term !== "dumb";
  return makePalette({
    depth: depthFor(options.allowed, environment),
    unicode: !options.ascii && isUtf8(environment),
    marks,
  });
}

function depthFor(allowed: boolean, environment: LookEnvironment): ColourDepth {
  const {
    FORCE_COLOR: forced,
    NO_COLOR: refused,
    TERM: term = "",
    COLORTERM: colours = "",
  } = environment as Readonly<Record<"FORCE_COLOR" | "NO_COLOR" | "TERM" | "COLORTERM", string | undefined>>;
  if (!allowed) return "none";
  if (forced !== undefined && forced !== "") {
    if (forced === "0" || forced === "false") return "none";
    if (forced === "2") return "256";
    if (forced === "3") return "true";
    if (forced === "1") return "16";
  } else if (refused) return "none";
  if (/truecolor|24bit/i.test(colours)) return "true";
  if (/256/.test(term)) return "256";
  return "16";
}

function isUtf8(environment: LookEnvironment): boolean {
  const locale = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || "";
  return /utf-?8/i.test(locale);
}
