import type { Forecast } from "../../forecast/forecast.ts";
import type { Tone } from "../../report/page.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { EngineOrder, EngineReport } from "../engine/messages.ts";
import type { Library } from "../library/library.ts";
import type { AppState } from "./app-state.ts";
import type { Intent, OpenPlan } from "./core.ts";

/** What happens to the screens. */
export type Event =
  | { readonly kind: "key"; readonly key: string }
  /** Text that came at once, such as a paste: for the line that is being typed. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "resized"; readonly size: Size }
  | { readonly kind: "engine"; readonly report: EngineReport }
  | { readonly kind: "library"; readonly library: Library }
  /** The document that is read from now on; null: none any more. */
  | { readonly kind: "reading"; readonly file: string | null }
  | { readonly kind: "loaded"; readonly forecast: Forecast; readonly file: string; readonly show: boolean }
  | { readonly kind: "planned"; readonly plan: OpenPlan }
  | { readonly kind: "saved"; readonly id: number; readonly file: string }
  | { readonly kind: "said"; readonly text: string; readonly tone: Tone | null }
  | { readonly kind: "intents"; readonly intents: readonly Intent[] };

/** What is to be done outside of the state. */
export type Effect =
  | Extract<
      Intent,
      {
        readonly kind:
          | "engine"
          | "startFile"
          | "load"
          | "copy"
          | "copyFile"
          | "writeScenario"
          | "writeResult"
          | "writeDetails"
          | "quit";
      }
    >
  /** For the thread that answers questions. */
  | { readonly kind: "trial"; readonly order: EngineOrder }
  /** Nobody waits for the document that is read. */
  | { readonly kind: "endLoad" }
  | { readonly kind: "redraw" }
  /** Gives the terminal back to the shell until it is told to go on. */
  | { readonly kind: "suspend" };

/** The state after an event, and what is to be done. Pure. */
export interface Reduced {
  readonly state: AppState;
  readonly effects: readonly Effect[];
}

/** A state with nothing to be done. */
export const only = (state: AppState): Reduced => ({ state, effects: [] });

/** A state with parts of what all screens see changed. */
export const withCore = (state: AppState, core: Partial<AppState["core"]>): AppState => ({
  ...state,
  core: { ...state.core, ...core },
});
