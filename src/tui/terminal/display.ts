/** Why a frame is to be shown: somebody pressed a key and waits for it, or a run has come further. */
export type FrameCause = "key" | "live";

/** Where frames go. They are asked for when they are shown: fewer than there are changes. */
export interface Display {
  /** Takes the terminal, at first and after each `leave`; nothing is known of what it shows. */
  enter(): void;
  /** Shows the frame, if the terminal is taken. */
  show(cause: FrameCause): void;
  /** Nothing is known of what the terminal shows: the next frame is drawn as a whole. */
  forget(): void;
  /** Gives the terminal back as it was. */
  leave(): void;
  /** The same, for good. */
  close(): void;
}
