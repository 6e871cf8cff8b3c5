import type { Option, OptionAxis } from "./option-axis.ts";
import { offloadOption } from "./options/offload.ts";
import { variedOptions } from "./options/varied.ts";
import type { PlanQuestion } from "./question.ts";
import type { Site } from "./sites.ts";

/** Axes of a space beside hardware, layout and replicas. */
const optionAxes: readonly OptionAxis[] = [variedOptions, offloadOption];

/** Every combination of the options of all axes. */
export function optionsOf(question: PlanQuestion, site: Site): Option[] {
  let all: Option[] = [{ settings: [], name: "" }];
  for (const axis of optionAxes) {
    const options = axis.options(question, site);
    if (options.length === 0) continue;
    all = all.flatMap((before) =>
      options.map(({ settings, name }) => ({
        settings: [...before.settings, ...settings],
        name: [before.name, name].filter((part) => part !== "").join(", "),
      })),
    );
  }
  return all;
}
