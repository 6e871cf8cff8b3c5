import { parametersOf } from "../../models/parameters.ts";
import type { ModelSpec } from "../../models/spec.ts";

/** How far sizes in names are rounded, and what they leave out: of all parameters, and of the active ones. */
const ratios = { total: 1.05, active: 1.2 } as const;

/** The last part of a path or repository name; of a snapshot in the Hugging Face cache, that of its repository. */
export function lastName(name: string): string {
  const parts = name
    .trim()
    .replace(/[/\\]+$/, "")
    .split(/[/\\]/);
  const cached = parts.find((part) => part.startsWith("models--"));
  return cached?.split("--").at(-1) ?? parts.at(-1) ?? "";
}

/** Billions in a model's name, as 8 in `Llama-3.1-8B` and 30 and 3 in `Qwen3-30B-A3B`; none in `Mixtral-8x7B`. */
export function billionsIn(name: string): readonly number[] {
  return Array.from(lastName(name).matchAll(/(?<![a-z0-9.])a?(\d+(?:\.\d+)?)b(?![a-z0-9])/gi), ([, digits]) =>
    Number(digits),
  );
}

/** Whether a size in a name is one of the model's: of all its parameters, or of the active ones. */
export function hasSize(model: ModelSpec, billions: number): boolean {
  const parameters = parametersOf(model);
  return (["total", "active"] as const).some((which) => {
    const ratio = parameters[which] / (billions * 1e9);
    return ratio < ratios[which] && ratio > 1 / ratios[which];
  });
}
