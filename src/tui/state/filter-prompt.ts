import type { Intent } from "./core.ts";

/** Asks for what lines must hold. The line begins empty, whatever is filtered already: Enter alone shows all again. */
export const filterPrompt = (now: string, label = "filter"): Intent => ({
  kind: "ask",
  prompt: {
    kind: "filter",
    label: now === "" ? `${label}: ` : `${label} (Enter alone: all): `,
    value: "",
    suggestions: [],
  },
});
