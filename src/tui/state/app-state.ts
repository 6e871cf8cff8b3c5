import type { Size } from "../../report/widgets/styled-text.ts";
import type { KeyMap } from "../keys/key-map.ts";
import type { Library } from "../library/library.ts";
import { screens } from "../screens/screens.ts";
import type { Core, Notice } from "./core.ts";
import type { HelpState } from "./help-keys.ts";
import type { TypedPrompt } from "./line-editor.ts";

/** All that is shown, and what is needed to show it. */
export interface AppState {
  readonly core: Core;
  readonly screen: string;
  /** Screens to go back to, the last one last. */
  readonly before: readonly string[];
  /** States of the screens, by id. */
  readonly own: Readonly<Record<string, unknown>>;
  /** The line that is being typed; null: none is. */
  readonly prompt: TypedPrompt | null;
  /** The help, and what it is filtered by; null while it is not shown. */
  readonly help: HelpState | null;
  readonly notice: Notice | null;
  /** The document that is being read; null: none is. */
  readonly reading: string | null;
  readonly keys: KeyMap;
}

export const firstState = (size: Size, library: Library, keys: KeyMap): AppState => ({
  core: {
    size,
    library,
    runs: [],
    trials: [],
    plan: null,
    current: null,
    marked: [],
    abortOnFail: false,
    frozen: false,
    nextId: 1,
  },
  screen: screens[0]!.id,
  before: [],
  own: Object.fromEntries(screens.map(({ id, start }) => [id, start])),
  prompt: null,
  help: null,
  notice: null,
  reading: null,
  keys,
});
