import type { Metric } from "./metric.ts";

/** Dollars for the deployment, by the three ways to lay them on tokens. */
export const cost = {
  costUsdPerMtok: {
    label: "$/Mtok",
    row: "cost",
    unit: "USD/Mtok",
    better: "lower",
    definition: "US dollars per million output tokens",
    of: (figures) => figures.cost?.usdPerMillionOutputTokens ?? null,
    slo: {
      dimension: "number",
      aggregations: ["value"],
      byClass: false,
      judged: ({ run, figures, noCost }) =>
        figures.cost === null
          ? { value: null, samples: 0, reason: noCost }
          : { value: figures.cost.usdPerMillionOutputTokens, samples: run.steps },
    },
    regression: {
      sections: ({ cost: bill, sections }) =>
        bill === null
          ? null
          : (sections?.outputTokensPerSecond?.map((rate) => (bill.usdPerHour / 3600 / rate) * 1e6) ?? null),
    },
  },
  costAllTokens: {
    label: "$/Mtok of all tokens",
    row: "cost_all_tokens",
    unit: "USD/Mtok",
    better: "lower",
    definition: "US dollars per million tokens, input and output alike",
    of: (figures) => figures.cost?.usdPerMillionTokens ?? null,
  },
  costInput: {
    label: "$/Mtok of input",
    row: "cost_input",
    unit: "USD/Mtok",
    better: "lower",
    definition: "the bill of the step time that prompts take, in US dollars per million input tokens",
    of: (figures) => figures.cost?.divided.usdPerMillionInputTokens ?? null,
  },
  costOutput: {
    label: "$/Mtok of output",
    row: "cost_output",
    unit: "USD/Mtok",
    better: "lower",
    definition: "the bill of the step time that outputs take, in US dollars per million output tokens",
    of: (figures) => figures.cost?.divided.usdPerMillionOutputTokens ?? null,
  },
} as const satisfies Record<string, Metric>;

/** Energy of the devices. */
export const energy = {
  joulesPerOutputToken: {
    label: "energy",
    row: "energy",
    unit: "J/tok",
    better: "lower",
    definition:
      "energy of the devices alone per output token: board power while a step runs, idle power between steps, none while a replica is off",
    of: (figures) => figures.energy?.joulesPerOutputToken ?? null,
    // The power of the whole run, as the cost has its price.
    regression: {
      sections: ({ energy: power, sections }) =>
        power === null ? null : (sections?.outputTokensPerSecond?.map((rate) => power.averageW / rate) ?? null),
    },
  },
} as const satisfies Record<string, Metric>;
