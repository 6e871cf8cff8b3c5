import type { Palette } from "../../report/widgets/palette.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { Core, Intent } from "../state/core.ts";
import type { DetailsFormat } from "../state/details-formats.ts";

/** A thing that can be done on a screen, and the keys that do it. */
export interface KeyBinding {
  readonly action: string;
  readonly keys: readonly string[];
  /** What it does, in a few words. */
  readonly help: string;
  /** Whether the footer names it; the help always does. */
  readonly quiet?: boolean;
}

/** What came of an action: a changed state of the screen, and what it asks of the rest. */
export interface Act<Own> {
  readonly own?: Own;
  readonly intents?: readonly Intent[];
}

/**
 * A screen: a state of its own, what its keys do to it, and a pure view. A new one is a file here and a line in `screens.ts`.
 */
export interface Screen<Own> {
  readonly id: string;
  readonly title: string;
  /** A shorter one where there is little room. */
  readonly short?: string;
  readonly start: Own;
  readonly keys: readonly KeyBinding[];
  /** Words that it uses and not everybody knows, with what they mean: the help has them. */
  readonly words?: readonly (readonly [word: string, meaning: string])[];
  /** Whether it shows experts or caches of a run that goes on: nobody counts them for other screens. */
  readonly looks?: boolean;
  /** What it shows of a run beside the result: a format of `moecast run --export`. */
  readonly exports?: DetailsFormat;
  /** Why there is nothing to see, and what would change that; null where there is. */
  missing?(core: Core): string | null;
  /** The screen has come into view, or what its engine said of a run has. */
  shown?(own: Own, core: Core): Act<Own>;
  /** What going back does on the screen itself, such as closing what was opened there; null: it leaves the screen. */
  back?(own: Own, core: Core): Act<Own> | null;
  /** What a key does. `area` is the room of the view. */
  act(own: Own, action: string, core: Core, area: Size): Act<Own>;
  /** Text that was asked for by a prompt of `kind`: with every letter (`done` false), and at the end. */
  typed?(own: Own, kind: string, text: string, done: boolean, core: Core): Act<Own>;
  /** At most `area.height` lines of at most `area.width` cells. */
  view(own: Own, core: Core, area: Size, palette: Palette): readonly string[];
}

/** A screen whose state only itself knows. */
export type AnyScreen = Screen<unknown>;

/** Hides what the state of a screen is. */
export const screen = <Own>(of: Screen<Own>): AnyScreen => of as unknown as AnyScreen;
