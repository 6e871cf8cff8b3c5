import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { parseJson } from "../../../src/core/json.ts";
import { expertBits } from "../../../src/policy/compression/expert-bits.ts";
import { readExpertLosses, roundingLosses } from "../../../src/policy/compression/expert-losses.ts";
import { solveHere } from "../../../src/solver/solver.ts";

const shape = { layers: 2, experts: 2 };
const read = (text: string) => readExpertLosses(parseJson(text, "loss.json"), "loss.json", shape);
const exponents = { uses: 1, weight: 1.5, loss: 1 };

describe("bits of experts", () => {
  test("the one that is used more gets more, and a layer's scale decides nothing", async () => {
    const losses = roundingLosses([1, 2, 3, 4], shape);
    const common = { ...shape, ...losses, average: 2.5, atLeastOnce: [], exponents, weights: null };
    const { bits, average } = await expertBits({ ...common, uses: [3, 1, 100, 300] }, solveHere);
    expect([...bits]).toEqual([3, 2, 2, 3]);
    expect(average).toBe(2.5);
  });

  test("weights count to their power: half as many tokens of twice the weight are worth more", async () => {
    const losses = roundingLosses([1, 4], shape);
    const common = { ...shape, ...losses, average: 2.5, atLeastOnce: [], uses: [2, 1, 2, 1], weights: [1, 2, 1, 2] };
    const of = async (weight: number) => [
      ...(await expertBits({ ...common, exponents: { ...exponents, weight } }, solveHere)).bits,
    ];
    expect(await of(1.5)).toEqual([1, 4, 1, 4]);
    expect(await of(0)).toEqual([4, 1, 4, 1]);
  });

  test("it never loses more than the same widths in order", async () => {
    const losses = { bits: [1, 2, 3], loss: Float64Array.of(9, 5, 4, 1, 1, 1, 7, 7, 7, 8, 2, 1) };
    const found = await expertBits(
      { ...shape, ...losses, average: 2, atLeastOnce: [3], exponents, uses: [1, 1, 1, 1], weights: null },
      solveHere,
    );
    expect([...found.bits]).toEqual([3, 1, 1, 3]);
    expect(found.objective).toBeLessThan(found.inOrder);
    expect(found).toMatchObject({ proved: true, bound: found.objective });
  });

  test("a budget that cannot hold names its layer", async () => {
    const wrong = expertBits(
      {
        ...shape,
        ...roundingLosses([2, 3], shape),
        average: 1,
        atLeastOnce: [],
        exponents,
        uses: [1, 1, 1, 1],
        weights: null,
      },
      solveHere,
    );
    await expect(wrong).rejects.toThrow("layer 0: budget: expected at least 4 bits for 2 experts, found 2");
  });
});

describe("files of losses", () => {
  test("lists with their widths beside them, and objects whose keys are the widths", () => {
    const expected = { bits: [1, 3], loss: Float64Array.of(4, 1, 5, 2, 6, 3, 7, 4) };
    expect(read('{"bits": [1, 3], "loss": [[[4, 1], [5, 2]], [[6, 3], [7, 4]]]}')).toEqual(expected);
    const keyed =
      '{"0": {"0": {"1": 4, "3": 1}, "1": {"1": 5, "3": 2}}, "1": {"0": {"1": 6, "3": 3}, "1": {"1": 7, "3": 4}}}';
    expect(read(keyed)).toEqual(expected);
  });

  test.each([
    ["[]", "loss: expected 2 layers, as the trace has, found 0"],
    ["7", 'loss: expected 2 layers, as the trace has, found "no list"'],
    ['{"loss": [[[1], [1]], [[1], [1]]]}', "bits: expected the widths that the losses are of"],
    ['{"bits": [], "loss": []}', "expected 2 layers"],
    [
      '{"bits": [3, 1], "loss": [[[1, 2], [1, 2]], [[1, 2], [1, 2]]]}',
      "bits: expected a list of whole widths, ascending",
    ],
    ['{"bits": [1], "loss": [[[1]], [[1], [1]]]}', "loss[0]: expected 2 experts, as the trace has, found 1"],
    ['{"bits": [1], "loss": [[[1], [1, 2]], [[1], [1]]]}', "loss[0][1]: expected 1 losses"],
    ['{"bits": [1], "loss": [[[1], [-1]], [[1], [1]]]}', "loss[0][1]: expected losses >= 0, found -1"],
    ['{"bits": [1], "loss": [[[1], ["x"]], [[1], [1]]]}', "loss[0][1]: expected losses >= 0"],
    ['[[{"1": 1}, {"2": 1}], [{"1": 1}, {"1": 1}]]', 'loss[0][1]: expected losses at 1 bits, found "2"'],
    ['[[{"x": 1}, {"x": 1}], [{"x": 1}, {"x": 1}]]', "loss[0][0]: expected losses at whole widths, ascending bits"],
  ])("refuses %s", (text, message) => {
    expect(() => read(text)).toThrow(InvalidInputError);
    expect(() => read(text)).toThrow(message);
  });
});
