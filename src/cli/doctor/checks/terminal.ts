import type { Check } from "../check.ts";

/** What moecast draws on: screens and progress need a terminal on stderr or stdout. */
export const terminal: Check = {
  title: "Terminal",
  look: async () => {
    const { env, stdout, stderr } = process;
    const depth = stdout.isTTY === true ? stdout.getColorDepth() : 1;
    const size = stdout.isTTY === true ? `${stdout.columns} x ${stdout.rows}` : "none: output goes to a file or a pipe";
    const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
    const unicode = process.platform === "win32" || /utf-?8/i.test(locale);
    const colour =
      env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== ""
        ? "no (NO_COLOR)"
        : depth === 1
          ? "no"
          : `${2 ** depth} colours`;
    return [
      { topic: "size", state: "ok", text: size },
      { topic: "colour", state: "ok", text: `${colour}${env["TERM"] === undefined ? "" : `, TERM=${env["TERM"]}`}` },
      unicode
        ? { topic: "characters", state: "ok", text: `UTF-8${locale === "" ? "" : ` (${locale})`}` }
        : {
            topic: "characters",
            state: "note",
            text: `${locale === "" ? "no locale is set" : locale}: not UTF-8`,
            advice: "moecast tui --ascii, or LANG=C.UTF-8",
          },
      {
        topic: "progress",
        state: "ok",
        text: stderr.isTTY === true && !env["CI"] ? "redrawn line" : "a line every ten seconds",
      },
    ];
  },
};
