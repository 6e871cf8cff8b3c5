import { expect, test } from "vitest";
import { resolveShape } from "../../src/models/resolve-shape.ts";
import { differences, shapeOf } from "../../src/models/shape-of.ts";
import { shapeSection } from "../../src/scenario/shape-section.ts";
import { resolve } from "./configs.ts";
import { releasedModels } from "./published-configs.ts";
import {
  graniteTiny,
  hunyuanLarge,
  lfm8,
  lingTiny,
  longcat,
  longcatLite,
  minimax,
  ringMini,
} from "./structure-configs.ts";

const parsed = (config: Parameters<typeof resolve>[0]) => {
  const { modelType: _type, ...shape } = shapeOf(resolve(config));
  return shapeSection.parse(JSON.parse(JSON.stringify(shape)));
};

test.each([graniteTiny, hunyuanLarge, lfm8, lingTiny, minimax, ringMini])(
  "$model_type can be described by hand",
  (config) => {
    const spec = resolve(config);
    expect(differences(shapeOf(spec), spec)).toEqual([]);
    expect(resolveShape(parsed(config)).spec.layers).toEqual(spec.layers);
  },
);

test("of LongCat-Flash what stays together, and of its Lite the n-grams, cannot be", () => {
  const missing = (config: Parameters<typeof resolve>[0]) => {
    const spec = resolve(config);
    return new Set(differences(shapeOf(spec), spec).map((path) => path.replace(/\d+/, "i")));
  };
  expect(missing(longcat)).toEqual(new Set(["layers.i.joined"]));
  expect(missing(longcatLite)).toEqual(new Set(["layers.i.joined", "ngramEmbedding"]));
  expect(resolveShape(parsed(longcat)).problems).toEqual([]);
});

test("a first layer has no earlier cache to read, and groups hold no experts that return their input", () => {
  const shape = parsed(hunyuanLarge);
  const [first] = [shape.attention].flat();
  const problems = resolveShape({
    ...shape,
    attention: { ...first!, layers: undefined, sharedCache: true } as never,
  }).problems;
  expect(problems.map(({ expected }) => expected)).toContain("a layer with a cache before one that reads it");
});

const released = releasedModels.map(({ name, config }) => [name, config] as const);

test.each(released)("the description of %s passes the schema and is the same model", (_name, config) => {
  const spec = resolve(config);
  const paired = differences(shapeOf(spec), spec).filter((path) => !/joined$|^ngramEmbedding/.test(path));
  expect(paired).toEqual([]);
  const plain = (layers: typeof spec.layers) => layers.map(({ joined: _joined, ...layer }) => layer);
  expect(plain(resolveShape(parsed(config)).spec.layers)).toEqual(plain(spec.layers));
});
