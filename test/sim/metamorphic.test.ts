import { test } from "vitest";
import { metamorphicLaws } from "./metamorphic-laws.ts";
import { runLaw } from "./metamorphic-runs.ts";

test.each(metamorphicLaws.map((law) => [law.name, law] as const))("%s", (_, law) => runLaw(law, 2, 3));
