import type { WriteStream } from "node:tty";

/** An empty screen without a cursor, on which pastes are marked. */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?2004h\u001b[2J\u001b[H";
/** Ends what a frame may have begun, marks no pastes, shows the cursor, and goes back to what was there before. */
const leave = "\u001b[?2026l\u001b[0m\u001b[?2004l\u001b[?25h\u001b[?1049l";

/** The second screen of a terminal. It is left however the process ends, but for SIGKILL. */
export class AlternateScreen {
  private readonly out: WriteStream;
  private entered = false;

  constructor(out: WriteStream) {
    this.out = out;
    process.on("exit", this.leave);
  }

  enter(): void {
    if (this.entered) return;
    this.entered = true;
    this.out.write(enter);
  }

  /** Once; may be called from an exit handler. */
  readonly leave = (): void => {
    if (!this.entered) return;
    this.entered = false;
    this.out.write(leave);
    const { stdin } = process;
    try {
      if (stdin.isTTY && stdin.isRaw) stdin.setRawMode(false);
    } catch {
      // A terminal that is gone has no mode to go back to.
    }
  };

  close(): void {
    this.leave();
    process.off("exit", this.leave);
  }
}
