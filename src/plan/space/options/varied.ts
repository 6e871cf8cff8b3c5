import { yamlText } from "../../../scenario/settings.ts";
import type { Option, OptionAxis } from "../option-axis.ts";

/** Values of further paths that the question states: every combination. */
export const variedOptions: OptionAxis = {
  name: "vary",
  options: ({ plan }) => {
    let all: Option[] = [{ settings: [], name: "" }];
    for (const [path, values] of Object.entries(plan.vary))
      all = all.flatMap((before) =>
        values.map((value) => ({
          settings: [...before.settings, `${path}=${yamlText(value)}`],
          name: [before.name, nameOf(path, value)].filter((part) => part !== "").join(", "),
        })),
      );
    return all;
  },
};

function nameOf(path: string, value: unknown): string {
  const key = path.split(".").at(-1) ?? path;
  if (value === null) return `no ${key}`;
  if (typeof value !== "object") return `${key} ${String(value)}`;
  const parts = Object.entries(value as object).map(([name, item]) =>
    name === "kind" ? String(item) : `${name} ${typeof item === "object" ? JSON.stringify(item) : String(item)}`,
  );
  return `${key} ${parts.join(" ")}`;
}
