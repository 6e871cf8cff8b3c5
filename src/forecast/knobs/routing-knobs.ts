import { type Knob, withPools } from "./knob.ts";

/** How unevenly experts are chosen, where routing is drawn from a popularity and not replayed. */
export const popularity: Knob = {
  label: "spread of expert popularity",
  scaled: ({ config }, factor) =>
    withPools(
      config,
      ({ routing }) =>
        routing.kind !== "uniform" || (routing.popularityCv ?? 0) === 0
          ? null
          : { routing: { ...routing, popularityCv: routing.popularityCv! * factor } },
      "routing is replayed as it was recorded or synthesised",
    ),
};
