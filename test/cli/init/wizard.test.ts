import { expect, test } from "vitest";
import type { Prompts } from "../../../src/cli/init/prompts.ts";
import { askFor, nameProblem } from "../../../src/cli/init/wizard.ts";

/** Prompts that are answered from a list; null takes the default, undefined leaves. */
function answering(answers: readonly (string | null | undefined)[]) {
  const asked: { message: string; values: readonly string[] }[] = [];
  const next = (message: string, values: readonly string[], initial: string): never => {
    const answer = answers[asked.length];
    asked.push({ message, values });
    return (answer === undefined ? null : (answer ?? initial)) as never;
  };
  const prompts: Prompts = {
    begin: () => {},
    end: () => {},
    left: () => {},
    choose: async (message, options, initial) =>
      next(
        message,
        options.map(({ value }) => value),
        initial,
      ),
    find: async (message, options, initial) =>
      next(
        message,
        options.map(({ value }) => value),
        initial,
      ),
    ask: async (message, { initial = "", check }) => {
      const answer = next(message, [], initial);
      if (answer !== null) expect(check(answer)).toBeNull();
      return answer;
    },
  };
  return { prompts, asked };
}

test("all is asked for where nothing was said, with the template's defaults", async () => {
  const { prompts, asked } = answering(["offload", null, null, null, null]);
  expect(await askFor({}, prompts)).toEqual({
    template: "offload",
    model: "qwen3-30b-a3b",
    hardware: "rtx4070-desktop",
    name: "offload",
  });
  expect(asked).toHaveLength(5);
  expect(asked[1]?.values).toContain("deepseek-v3");
  expect(asked[2]?.values).toContain("h100-sxm-8");
});

test("what was said is not asked for", async () => {
  const said = { template: "chat", model: "kimi-k2", hardware: "h200-sxm", rate: 3, name: "x" } as const;
  const { prompts, asked } = answering([]);
  expect(await askFor(said, prompts)).toEqual(said);
  expect(asked).toEqual([]);
});

test.each([0, 1, 2, 3, 4])("leaving at question %i gives nothing", async (at) => {
  const { prompts, asked } = answering(["chat", ...Array<null>(4).fill(null)].slice(0, at));
  expect(await askFor({}, prompts)).toBeNull();
  expect(asked).toHaveLength(at + 1);
});

test("names are those of files on every system", () => {
  for (const name of ["chat", "a.b_c-1", "0"]) expect(nameProblem(name)).toBeNull();
  for (const name of ["", ".", "..", ".x", "a/b", "a\\b", "a b", "é", "a\n", "<b>", "=1+1", "x".repeat(81)])
    expect(nameProblem(name), name).not.toBeNull();
});
