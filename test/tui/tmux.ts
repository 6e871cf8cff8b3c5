import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Whether there is a terminal to try things in. */
export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** Whatever is waited for comes within this time, also on a machine that has other things to do. */
const patienceMs = 60_000;

/** A word of a shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** A terminal of its own, in which a program runs in the foreground; afterwards it shows how the program left it. */
export class Terminal {
  private readonly socket: string;
  private readonly pidFile: string;

  constructor(
    folder: string,
    words: readonly string[],
    options: {
      readonly environment?: Readonly<Record<string, string>>;
      readonly width?: number;
      readonly height?: number;
    } = {},
  ) {
    const { environment = {}, width = 80, height = 24 } = options;
    this.socket = join(folder, `tmux-${Math.random().toString(36).slice(2)}`);
    this.pidFile = `${this.socket}.pid`;
    const variables = {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      TERM: "screen-256color",
      LANG: "C.UTF-8",
      ...environment,
    };
    const program = ["env", "-i", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...words];
    const inner = `echo $$ > ${quoted(this.pidFile)}; exec ${program.map(quoted).join(" ")}`;
    const script = `cd ${quoted(folder)}; echo before; sh -c ${quoted(inner)}; echo code=$?; stty -a; exec cat`;
    this.tmux("-f", "/dev/null", "new-session", "-d", "-x", String(width), "-y", String(height), "sh", "-c", script);
  }

  private tmux(...words: readonly string[]): string {
    return execFileSync("tmux", ["-u", "-S", this.socket, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** What is seen, line by line; `-e` with the marks of the text, `-S -200` with what was scrolled away. */
  lines(...options: readonly string[]): string[] {
    return this.tmux("capture-pane", "-p", ...options).split("\n");
  }

  text(): string {
    return this.lines().join("\n");
  }

  /** Waits until something is seen. */
  async sees(what: string | RegExp, where: () => string = () => this.text()): Promise<string> {
    const endMs = Date.now() + patienceMs;
    for (;;) {
      const text = where();
      if (typeof what === "string" ? text.includes(what) : what.test(text)) return text;
      if (Date.now() > endMs) throw new Error(`${String(what)} was not seen:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** Presses keys, as tmux names them. */
  press(...keys: readonly string[]): void {
    this.tmux("send-keys", ...keys);
  }

  type(text: string): void {
    this.tmux("send-keys", "-l", text);
  }

  /** Pastes a text, which the terminal marks as that where it was asked to. */
  paste(text: string): void {
    this.tmux("set-buffer", text);
    this.tmux("paste-buffer", "-p");
  }

  resize(width: number, height: number): void {
    this.tmux("resize-window", "-x", String(width), "-y", String(height));
  }

  /** What tmux knows of the terminal, such as `alternate_on`. */
  fact(name: string): string {
    return this.tmux("display-message", "-p", `#{${name}}`).trim();
  }

  get pid(): number {
    return Number(readFileSync(this.pidFile, "utf8"));
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** How the program ended, and whether it gave the terminal back as it had got it. */
  async ended(): Promise<{ readonly code: number; readonly out: string; readonly isRestored: boolean }> {
    const all = () => this.lines("-S", "-200").join("\n");
    // The last line of `stty -a` names echoke.
    const lines = await this.sees(/code=[\s\S]*\bechoke\b/, all);
    const [, code = ""] = /code=(\d+)/.exec(lines) ?? [];
    const modes = lines.slice(lines.indexOf("code=")).split(/\s+/);
    const isCooked = ["icanon", "echo", "isig", "icrnl", "opost"].every((mode) => modes.includes(mode));
    const isNormal = this.fact("alternate_on") === "0" && this.fact("cursor_flag") === "1";
    return { code: Number(code), out: lines.slice(0, lines.indexOf("code=")), isRestored: isCooked && isNormal };
  }

  /** Ends the terminal, and what runs in it. */
  close(): void {
    spawnSync("tmux", ["-S", this.socket, "kill-server"]);
  }
}
