import { describe, expect, test } from "vitest";
import { agrees, countedAs } from "../../src/models/catalogue.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import type { TensorClass } from "../../src/models/spec.ts";
import { resolve } from "./configs.ts";
import { type Printed, releasedModels } from "./published-configs.ts";

function meets(counts: Readonly<Record<TensorClass, number>>, figure: Printed): boolean {
  const counted = countedAs(counts, figure);
  return figure.cut ? counted >= figure.value && counted < figure.value + figure.unit : agrees(counts, figure);
}

function billions(counts: Readonly<Record<TensorClass, number>>, figure: Printed): string {
  return `${(countedAs(counts, figure) / 1e9).toFixed(3)} B counted, ${figure.value / 1e9} B printed`;
}

describe("released models that are not in the catalogue", () => {
  const models = releasedModels.map((model) => [model.name, model] as const);

  test.each(models)("%s has the parameters that its makers print, within the last digit", (_name, model) => {
    const { byClass, activeByClass } = parametersOf(resolve(model.config));
    expect(meets(byClass, model.total), billions(byClass, model.total)).toBe(true);
    if (model.active === undefined) return;
    expect(meets(activeByClass, model.active), billions(activeByClass, model.active)).toBe(true);
  });
});
