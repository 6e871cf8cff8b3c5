import { expect, test } from "vitest";
import { makeScenario } from "../../../src/cli/init/make.ts";
import type { Choice, Template } from "../../../src/cli/init/template.ts";
import { type TemplateName, templates } from "../../../src/cli/init/templates.ts";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { localFiles } from "../../../src/files/local-files.ts";
import { systemIds } from "../../../src/hardware/named-profiles.ts";
import { catalogue } from "../../../src/models/catalogue.ts";

const names = Object.keys(templates) as TemplateName[];
const models = Object.keys(catalogue);

/** Every system once, every model several times, each template on a quarter of the systems. */
const choices = systemIds.map((system, i) => {
  const template = names[i % names.length]!;
  return { template, system, model: models[(i * 5) % models.length]! };
});

async function outcome(name: TemplateName, choice: Choice): Promise<string> {
  const template: Template = templates[name];
  try {
    const { forecast } = await makeScenario(name, template, choice, { reader: localFiles, say: () => {} });
    return forecast.passed ? "passes" : "fails its objectives";
  } catch (error) {
    if (error instanceof InfeasibleError && error.message.length > 20) return "refused";
    throw error;
  }
}

const plain = { engine: null, ratePerSecond: null, name: "x" } as const;

test.each(choices)("$template with $model on $system passes or is refused with a reason", async (choice) => {
  const ended = await outcome(choice.template, { ...plain, ...choice });
  expect(["passes", "refused"]).toContain(ended);
});

test.each(names)("the defaults of %s pass", async (name) => {
  expect(await outcome(name, { ...plain, ...templates[name].defaults })).toBe("passes");
});
